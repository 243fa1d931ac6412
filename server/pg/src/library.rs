//! All functions, operators, casts, aggregates and set-returning functions there are, by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::function::{Aggregate, AggregateKind, Cast, Function, SetFunction, WindowFunction};
use crate::types;

pub mod aggregate;
pub mod array;
pub mod cast;
pub mod comparison;
#[cfg(test)]
mod coverage;
pub mod datetime;
pub mod enums;
pub mod format;
pub mod infallible;
pub mod json;
pub mod number;
pub mod sketch;
pub mod system;
pub mod text;

/// What one module of the library has.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Functions that are called by name.
    pub functions: &'static [&'static [Function]],
    /// Operators, named by their symbols; one with one argument stands before it.
    pub operators: &'static [&'static [Function]],
    /// Casts.
    pub casts: &'static [&'static [Cast]],
    /// Aggregates.
    pub aggregates: &'static [&'static [Aggregate]],
    /// Functions that return sets.
    pub sets: &'static [&'static [SetFunction]],
    /// Functions that are called with `OVER` only.
    pub windows: &'static [&'static [WindowFunction]],
}

impl Section {
    /// A section that has nothing yet.
    pub const EMPTY: Section =
        Section { functions: &[], operators: &[], casts: &[], aggregates: &[], sets: &[], windows: &[] };
}

static SECTIONS: &[&Section] = &[
    &aggregate::SECTION,
    &array::SECTION,
    &cast::SECTION,
    &comparison::SECTION,
    &datetime::SECTION,
    &enums::SECTION,
    &format::SECTION,
    &json::SECTION,
    &number::SECTION,
    &sketch::SECTION,
    &system::SECTION,
    &text::SECTION,
];

/// The entries of each name.
struct Index<T: 'static>(HashMap<&'static str, Vec<&'static T>>);

impl<T> Index<T> {
    fn new(parts: fn(&'static Section) -> &'static [&'static [T]], name: fn(&T) -> &'static str) -> Self {
        let mut index: HashMap<&'static str, Vec<&'static T>> = HashMap::new();
        for entry in SECTIONS.iter().flat_map(|section| parts(section)).flat_map(|part| part.iter()) {
            index.entry(name(entry)).or_default().push(entry);
        }
        Index(index)
    }

    fn get(&self, name: &str) -> &[&'static T] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

static FUNCTIONS: LazyLock<Index<Function>> = LazyLock::new(|| Index::new(|it| it.functions, |it| it.name));
static OPERATORS: LazyLock<Index<Function>> = LazyLock::new(|| Index::new(|it| it.operators, |it| it.name));
static AGGREGATES: LazyLock<Index<Aggregate>> = LazyLock::new(|| Index::new(|it| it.aggregates, |it| it.name));
static SETS: LazyLock<Index<SetFunction>> = LazyLock::new(|| Index::new(|it| it.sets, |it| it.name));
static WINDOWS: LazyLock<Index<WindowFunction>> = LazyLock::new(|| Index::new(|it| it.windows, |it| it.name));
static CASTS: LazyLock<HashMap<(u32, u32), &'static Cast>> = LazyLock::new(|| {
    let casts = SECTIONS.iter().flat_map(|section| section.casts).flat_map(|part| part.iter());
    casts.map(|cast| ((cast.function.arguments[0], cast.function.result), cast)).collect()
});

/// The functions of a name.
pub fn functions(name: &str) -> &'static [&'static Function] {
    FUNCTIONS.get(name)
}

/// The operators of a symbol.
pub fn operators(symbol: &str) -> &'static [&'static Function] {
    OPERATORS.get(symbol)
}

/// The aggregates of a name.
pub fn aggregates(name: &str) -> &'static [&'static Aggregate] {
    AGGREGATES.get(name)
}

/// The set-returning functions of a name.
pub fn set_functions(name: &str) -> &'static [&'static SetFunction] {
    SETS.get(name)
}

/// The window functions of a name; any aggregate can be called as one too.
pub fn window_functions(name: &str) -> &'static [&'static WindowFunction] {
    WINDOWS.get(name)
}

/// Whether there is a function of any kind with this name and these types of arguments; of a variadic one, the last type is
/// that of the array of its last arguments.
pub fn has_function(name: &str, types: &[u32]) -> bool {
    let is_same = |arguments: &[u32], variadic: bool| match (variadic, arguments.split_last(), types.split_last()) {
        (true, Some((last, first)), Some((array, rest))) => {
            first == rest && (array == last || types::element_type(*array) == Some(*last))
        }
        _ => arguments == types,
    };
    let aggregate = |it: &&Aggregate| {
        let direct = if it.kind == AggregateKind::HypotheticalSet { &[] } else { it.direct };
        is_same(&[direct, it.arguments].concat(), it.variadic)
    };
    functions(name).iter().any(|it| is_same(it.arguments, it.variadic))
        || set_functions(name).iter().any(|it| is_same(it.arguments, it.variadic))
        || window_functions(name).iter().any(|it| is_same(it.arguments, false))
        || aggregates(name).iter().any(aggregate)
}

/// Whether there is an operator of this symbol between these types.
pub fn has_operator(symbol: &str, types: &[u32]) -> bool {
    operators(symbol).iter().any(|it| it.arguments == types)
}

/// The cast from one type to another, when there is one of its own. A cast of a type to itself applies the modifier.
pub fn cast(source: u32, target: u32) -> Option<&'static Cast> {
    CASTS.get(&(source, target)).copied()
}
