//! A `jsonpath` as a tree.

use std::sync::Arc;

use regex::Regex;

/// A whole path.
#[derive(Debug, Clone)]
pub struct JsonPath {
    /// Whether structural errors are errors.
    pub strict: bool,
    /// What is evaluated.
    pub root: Node,
}

/// Something to start from, and the steps from there.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it starts from.
    pub start: Start,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// What a path starts from.
#[derive(Debug, Clone)]
pub enum Start {
    /// `$`
    Root,
    /// `@`
    Current,
    /// `last`
    Last,
    /// `$name`
    Variable(String),
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as `numeric` prints it.
    Number(String),
    /// `"text"`
    String(String),
    /// `+x`, `-x`
    Sign(Sign, Box<Node>),
    /// `x + y` and its kin
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    /// A condition
    Predicate(Predicate),
}

/// A sign before an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

impl Sign {
    /// As it is written.
    pub fn symbol(self) -> char {
        if self == Sign::Plus { '+' } else { '-' }
    }
}

/// An operator between numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

impl Arithmetic {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Modulo => "%",
        }
    }
}

/// An operator that compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`, `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// As it is printed.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

/// A condition.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// `x && y && …`, from the left
    And(Vec<Node>),
    /// `x || y || …`, from the left
    Or(Vec<Node>),
    /// `!(x)`
    Not(Box<Node>),
    /// `(x) is unknown`
    IsUnknown(Box<Node>),
    /// `exists (x)`
    Exists(Box<Node>),
    /// `x == y` and its kin
    Compare(Comparison, Box<Node>, Box<Node>),
    /// `x starts with "text"`
    StartsWith(Box<Node>, Box<Node>),
    /// `x like_regex "pattern" flag "flags"`
    LikeRegex(Box<Node>, Arc<Pattern>),
}

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As it was written.
    pub text: String,
    /// The flags, in the order in which they are printed.
    pub flags: String,
    /// What matches.
    pub regex: Regex,
}

/// A step from one item to others.
#[derive(Debug, Clone)]
pub enum Step {
    /// `.key`
    Member(String),
    /// `.*`
    AnyMember,
    /// `[*]`
    AnyElement,
    /// `[x, y to z]`
    Elements(Vec<(Node, Option<Node>)>),
    /// `.**{first to last}`
    Descend {
        /// The least depth; [`LAST_LEVEL`] is that of the leaves.
        first: u32,
        /// The greatest depth.
        last: u32,
    },
    /// `.size()` and its kin
    Method(Method),
    /// `.datetime("template")`
    Datetime(Option<String>),
    /// `? (condition)`
    Filter(Box<Node>),
}

/// The depth that is written as `last`.
pub const LAST_LEVEL: u32 = u32::MAX;

/// A method without arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `.type()`
    Type,
    /// `.size()`
    Size,
    /// `.abs()`
    Abs,
    /// `.floor()`
    Floor,
    /// `.ceiling()`
    Ceiling,
    /// `.double()`
    Double,
    /// `.keyvalue()`
    KeyValue,
}

impl Method {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Method::Type => "type",
            Method::Size => "size",
            Method::Abs => "abs",
            Method::Floor => "floor",
            Method::Ceiling => "ceiling",
            Method::Double => "double",
            Method::KeyValue => "keyvalue",
        }
    }
}
