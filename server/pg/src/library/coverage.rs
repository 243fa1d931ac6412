//! How much of what PostgreSQL documents the library has: `tests-data/pg_proc.txt` lists functions (`f`), aggregates
//! (`a`), window functions (`w`) and set-returning functions (`s`) with their argument and result types, as the statement beside it found them.

use std::collections::BTreeSet;

use super::{aggregates, functions, set_functions, window_functions};
use crate::function::AggregateKind;
use crate::types::type_name;

const DOCUMENTED: &str = include_str!("../../tests-data/pg_proc.txt");

/// Documented entries that the library has at least. It is raised when there are more.
const PRESENT_MIN: usize = 555;

/// The line that describes an entry.
fn line(kind: char, name: &str, arguments: &[u32], variadic: bool, result: &str) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| type_name(*argument)).collect();
    let more = if variadic { ", ..." } else { "" };
    format!("{kind} {name}({}{more}) {result}", arguments.join(", "))
}

/// The lines of all entries with a name.
fn lines(name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for it in functions(name) {
        lines.push(line('f', name, it.arguments, it.variadic, &type_name(it.result)));
    }
    for it in aggregates(name) {
        // The direct arguments of a hypothetical row are those that it is ordered by.
        let direct = if it.kind == AggregateKind::HypotheticalSet { &[] } else { it.direct };
        let arguments: Vec<_> = direct.iter().chain(it.arguments).copied().collect();
        lines.push(line('a', name, &arguments, it.variadic, &type_name(it.result)));
    }
    for it in window_functions(name) {
        lines.push(line('w', name, it.arguments, false, &type_name(it.result)));
    }
    // The columns of a set can depend on the arguments, so its type is not compared.
    for it in set_functions(name) {
        lines.push(line('s', name, it.arguments, it.variadic, ""));
    }
    lines
}

fn has(documented: &str) -> bool {
    let Some(name) = documented.get(2..).and_then(|rest| rest.split('(').next()) else { return false };
    lines(name).iter().any(|line| match line.strip_suffix(' ') {
        Some(without_result) => documented.starts_with(without_result),
        None => line == documented,
    })
}

#[test]
fn the_library_keeps_what_it_has_of_the_documented_functions() {
    let (present, missing): (Vec<&str>, Vec<&str>) = DOCUMENTED.lines().partition(|line| has(line));
    println!("{} of {} documented entries are there; missing:", present.len(), DOCUMENTED.lines().count());
    for line in &missing {
        println!("{line}");
    }
    // An overload too many can make a call ambiguous that PostgreSQL resolves; Redshift's are meant to be here.
    println!("overloads that PostgreSQL does not document:");
    for line in own_overloads() {
        println!("{line}");
    }
    assert!(present.len() >= PRESENT_MIN, "only {} documented entries are there", present.len());
}

/// What the library has under documented names beside the documented entries.
fn own_overloads() -> BTreeSet<String> {
    let names = DOCUMENTED.lines().filter_map(|line| line.get(2..)?.split('(').next());
    names.flat_map(lines).filter(|line| !DOCUMENTED.lines().any(|known| known.starts_with(line))).collect()
}
