//! What statements say about columns, constraints and sequences.

use std::collections::BTreeSet;

use sqlparser::ast;
use sqlparser::tokenizer::Location;

use catalog::OnCommit;
use catalog::constraint::ReferentialAction;

/// An expression that is kept: as it was read, and its text.
#[derive(Debug, Clone)]
pub struct Expression {
    /// As it was read.
    pub expr: Box<ast::Expr>,
    /// Its text.
    pub text: String,
}

/// A column of `CREATE TABLE` or `CREATE EXTERNAL TABLE`.
#[derive(Debug, Clone)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: ast::Ident,
    /// Its type, as written.
    pub data_type: ast::DataType,
    /// What is written behind the type, in order.
    pub constraints: Vec<ColumnConstraint>,
    /// `ENCODE`: how Redshift would compress it
    pub encoding: Option<String>,
}

/// What is written behind the type of a column.
#[derive(Debug, Clone)]
pub struct ColumnConstraint {
    /// `CONSTRAINT name`
    pub name: Option<ast::Ident>,
    /// What it says.
    pub kind: ColumnConstraintKind,
    /// Where it begins.
    pub place: Location,
}

/// What a column is said to be.
#[derive(Debug, Clone)]
pub enum ColumnConstraintKind {
    /// `NOT NULL`
    NotNull,
    /// `NULL`
    Null,
    /// `DEFAULT expression`
    Default(Expression),
    /// `CHECK (condition)`
    Check(Expression),
    /// `PRIMARY KEY`, `UNIQUE`
    Key(KeyKind),
    /// `REFERENCES table [(column)]`
    References(Reference),
    /// `GENERATED ALWAYS AS (expression) STORED`
    Generated(Expression),
    /// `GENERATED { ALWAYS | BY DEFAULT } AS IDENTITY`, Redshift's `IDENTITY(seed, step)`
    Identity {
        /// `ALWAYS`
        always: bool,
        /// What the sequence is told.
        options: Vec<SequenceOption>,
    },
    /// `DISTKEY`
    DistKey,
    /// `SORTKEY`
    SortKey,
}

/// `PRIMARY KEY` or `UNIQUE [NULLS [NOT] DISTINCT]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyKind {
    /// `PRIMARY KEY`
    pub primary: bool,
    /// `NULLS NOT DISTINCT`
    pub nulls_not_distinct: bool,
}

/// `table [(columns)] [MATCH …] [ON DELETE …] [ON UPDATE …]`
#[derive(Debug, Clone)]
pub struct Reference {
    /// The table.
    pub table: ast::ObjectName,
    /// Its columns; those of its primary key when there are none.
    pub columns: Vec<ast::Ident>,
    /// `MATCH FULL`
    pub match_full: bool,
    /// `ON DELETE`
    pub on_delete: ReferentialAction,
    /// `ON UPDATE`
    pub on_update: ReferentialAction,
}

/// A constraint that stands among the columns.
#[derive(Debug, Clone)]
pub struct TableConstraint {
    /// `CONSTRAINT name`
    pub name: Option<ast::Ident>,
    /// What it asks for.
    pub kind: TableConstraintKind,
    /// Where it begins.
    pub place: Location,
}

/// What a constraint that stands among the columns asks for.
#[derive(Debug, Clone)]
pub enum TableConstraintKind {
    /// `CHECK (condition)`
    Check(Expression),
    /// `PRIMARY KEY (columns)`, `UNIQUE (columns)`
    Key(KeyKind, Vec<ast::Ident>),
    /// `FOREIGN KEY (columns) REFERENCES …`
    ForeignKey(Vec<ast::Ident>, Reference),
}

/// What stands in the place of a column of a table.
#[derive(Debug, Clone)]
pub enum TableElement {
    /// A column.
    Column(Box<ColumnDefinition>),
    /// The columns of another relation.
    Like(LikeClause),
}

/// `LIKE relation [INCLUDING option | EXCLUDING option] …`
#[derive(Debug, Clone)]
pub struct LikeClause {
    /// The relation.
    pub relation: ast::ObjectName,
    /// What is taken over of its columns beside names, types and NOT NULL.
    pub including: BTreeSet<LikeOption>,
    /// Where the name is.
    pub place: Location,
}

/// What LIKE takes over when it is told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LikeOption {
    /// `COMMENTS`
    Comments,
    /// `CONSTRAINTS`: conditions
    Constraints,
    /// `DEFAULTS`
    Defaults,
    /// `GENERATED`
    Generated,
    /// `IDENTITY`
    Identity,
    /// `INDEXES`: keys
    Indexes,
}

impl LikeOption {
    /// All of them.
    pub const ALL: &[LikeOption] = &[
        LikeOption::Comments,
        LikeOption::Constraints,
        LikeOption::Defaults,
        LikeOption::Generated,
        LikeOption::Identity,
        LikeOption::Indexes,
    ];
}

/// How long a table lives.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lifetime {
    /// `TEMPORARY`: as long as the session
    pub temporary: bool,
    /// `GLOBAL`, which asks for nothing
    pub global: bool,
    /// `ON COMMIT`
    pub on_commit: Option<OnCommit>,
}

/// `CREATE TABLE`
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// Its name.
    pub name: ast::ObjectName,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Whether it may be there already.
    pub if_not_exists: bool,
    /// Its columns, in their order.
    pub elements: Vec<TableElement>,
    /// The constraints that stand among them.
    pub constraints: Vec<TableConstraint>,
    /// What Redshift lets one say.
    pub attributes: TableAttributes,
}

/// What Redshift lets one say about a table.
#[derive(Debug, Clone, Default)]
pub struct TableAttributes {
    /// `[COMPOUND] SORTKEY (columns)`
    pub sort_key: Vec<ast::Ident>,
    /// `DISTKEY (column)`
    pub dist_key: Option<ast::Ident>,
    /// What else there is, to be shown back: `(keyword, value)`.
    pub options: Vec<(String, String)>,
}

/// `CREATE SEQUENCE`
#[derive(Debug, Clone)]
pub struct CreateSequence {
    /// Its name.
    pub name: ast::ObjectName,
    /// `TEMPORARY`
    pub temporary: bool,
    /// Whether it may be there already.
    pub if_not_exists: bool,
    /// What it is told.
    pub options: Vec<SequenceOption>,
}

/// `ALTER SEQUENCE`
#[derive(Debug, Clone)]
pub struct AlterSequence {
    /// Its name.
    pub name: ast::ObjectName,
    /// Whether it may be absent.
    pub if_exists: bool,
    /// What happens to it.
    pub action: AlterSequenceAction,
}

/// What ALTER SEQUENCE does.
#[derive(Debug, Clone)]
pub enum AlterSequenceAction {
    /// What it is told.
    Options(Vec<SequenceOption>),
    /// `RENAME TO`
    Rename(ast::Ident),
    /// `SET SCHEMA`
    SetSchema(ast::Ident),
    /// `OWNER TO`
    OwnerTo(ast::Ident),
}

/// What a sequence is told.
#[derive(Debug, Clone)]
pub enum SequenceOption {
    /// `AS type`
    As(ast::DataType),
    /// `START [WITH]`
    Start(i64),
    /// `RESTART [[WITH] value]`
    Restart(Option<i64>),
    /// `INCREMENT [BY]`
    Increment(i64),
    /// `MINVALUE`, `NO MINVALUE`
    MinValue(Option<i64>),
    /// `MAXVALUE`, `NO MAXVALUE`
    MaxValue(Option<i64>),
    /// `CACHE`
    Cache(i64),
    /// `CYCLE`, `NO CYCLE`
    Cycle(bool),
    /// `OWNED BY table.column`, `OWNED BY NONE`
    OwnedBy(Option<ast::ObjectName>),
    /// `SEQUENCE NAME`, of an identity column, and where it stands
    Name(ast::ObjectName, Location),
}

impl SequenceOption {
    /// What messages and duplicates know it by.
    pub fn keyword(&self) -> &'static str {
        match self {
            SequenceOption::As(_) => "as",
            SequenceOption::Start(_) => "start",
            SequenceOption::Restart(_) => "restart",
            SequenceOption::Increment(_) => "increment",
            SequenceOption::MinValue(_) => "minvalue",
            SequenceOption::MaxValue(_) => "maxvalue",
            SequenceOption::Cache(_) => "cache",
            SequenceOption::Cycle(_) => "cycle",
            SequenceOption::OwnedBy(_) => "owned_by",
            SequenceOption::Name(..) => "sequence_name",
        }
    }
}
