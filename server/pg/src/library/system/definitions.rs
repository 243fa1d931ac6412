//! What objects were made with (PostgreSQL's `ruleutils.c`). Expressions and queries are shown as they were written.

use std::fmt::Write;

use arrow::array::ArrayRef;
use catalog::constraint::{Check, ForeignKey, ReferentialAction};
use catalog::index::{DESCENDING, NULLS_FIRST};
use catalog::name::quote_identifier;
use catalog::{ConstraintKind, HotTable, Relation};

use crate::error::Result;
use crate::function::{Call, Function, Oid, function};
use crate::input::object_name::relation_number;
use crate::names::{self, Names};
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    // No table has PostgreSQL's partitions.
    function("pg_partition_root", &[REGCLASS], REGCLASS, |call| call.map1(|_: Oid| None::<Oid>)).stable(),
    function("pg_get_constraintdef", &[OID], TEXT, |call| call.map1(|Oid(it)| constraint_definition(it, false)))
        .stable(),
    function("pg_get_constraintdef", &[OID, BOOL], TEXT, |call| {
        call.map2(|Oid(it), pretty| constraint_definition(it, pretty))
    })
    .stable(),
    function("pg_get_expr", &[PG_NODE_TREE, OID], TEXT, pg_get_expr).stable(),
    function("pg_get_expr", &[PG_NODE_TREE, OID, BOOL], TEXT, pg_get_expr).stable(),
    function("pg_get_indexdef", &[OID], TEXT, |call| call.map1(|Oid(index)| index_definition(index))).stable(),
    function("pg_get_indexdef", &[OID, INT4, BOOL], TEXT, pg_get_indexdef).stable(),
    function("pg_get_partition_constraintdef", &[OID], TEXT, nothing).stable(),
    function("pg_get_partkeydef", &[OID], TEXT, nothing).stable(),
    function("pg_get_ruledef", &[OID], TEXT, pg_get_ruledef).stable(),
    function("pg_get_ruledef", &[OID, BOOL], TEXT, pg_get_ruledef).stable(),
    function("pg_get_statisticsobjdef", &[OID], TEXT, nothing).stable(),
    function("pg_get_statisticsobjdef_columns", &[OID], TEXT, nothing).stable(),
    function("pg_get_triggerdef", &[OID], TEXT, nothing).stable(),
    function("pg_get_triggerdef", &[OID, BOOL], TEXT, nothing).stable(),
    function("pg_get_viewdef", &[OID], TEXT, |call| call.map1(|Oid(view)| view_definition(view))).stable(),
    function("pg_get_viewdef", &[OID, BOOL], TEXT, |call| call.map2(|Oid(view), _: bool| view_definition(view)))
        .stable(),
    function("pg_get_viewdef", &[OID, INT4], TEXT, |call| call.map2(|Oid(view), _: i32| view_definition(view)))
        .stable(),
    function("pg_get_viewdef", &[TEXT], TEXT, |call| call.map1(view_named)).stable(),
    function("pg_get_viewdef", &[TEXT, BOOL], TEXT, |call| call.map2(|name: &str, _: bool| view_named(name))).stable(),
];

/// The functions whose argument is kept as the number of a sequence.
const OF_SEQUENCES: [&str; 3] = ["nextval(", "currval(", "setval("];

/// Of what there is none here.
fn nothing(call: &Call) -> Result<ArrayRef> {
    call.map0(|| None::<&str>)
}

/// A text that was kept is an expression already.
fn pg_get_expr(call: &Call) -> Result<ArrayRef> {
    call.map2(|expression: &str, _: Oid| names::current().map(|names| with_names(expression, &names)))
}

/// The text with the names of sequences instead of their numbers.
fn with_names(expression: &str, names: &Names) -> String {
    let mut text = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(end) = OF_SEQUENCES.iter().filter_map(|call| rest.find(call).map(|at| at + call.len())).min() {
        let (before, argument) = rest.split_at(end);
        text.push_str(before);
        rest = argument;
        let Some((number, after)) = argument.strip_prefix('\'').and_then(|it| it.split_once('\'')) else { continue };
        if let Some(name) = number.parse().ok().and_then(|number| names.relation_name(number)) {
            let _ = write!(text, "'{}'::regclass", name.replace('\'', "''"));
            rest = after.strip_prefix("::regclass").unwrap_or(after);
        }
    }
    text + rest
}

fn view_definition(view: u32) -> Option<String> {
    let names = names::current()?;
    match names.snapshot().relation_by_oid(catalog::Oid(view))? {
        Relation::View(view) => {
            let binding = if view.late_binding { " WITH NO SCHEMA BINDING" } else { "" };
            Some(format!("{}{binding};", view.query.trim_end_matches(';')))
        }
        _ => None,
    }
}

fn view_named(name: &str) -> Result<Option<String>> {
    Ok(view_definition(relation_number(name)?))
}

/// The rule that makes a view what it is: its number is computed from the view's.
fn pg_get_ruledef(call: &Call) -> Result<ArrayRef> {
    call.map1(|Oid(rule)| {
        let view = rule.checked_sub(FIRST_COMPUTED_OID)?;
        let (name, query) = (names::current()?.relation_name(view)?, view_definition(view)?);
        Some(format!("CREATE RULE \"_RETURN\" AS\n    ON SELECT TO {name} DO INSTEAD {query}"))
    })
}

fn pg_get_indexdef(call: &Call) -> Result<ArrayRef> {
    call.map3(|Oid(index): Oid, column: i32, _pretty: bool| match column {
        0 => index_definition(index),
        _ => {
            let names = names::current()?;
            let (table, index) = names.index(index)?;
            let place = usize::try_from(column - 1).ok()?;
            let column = index.columns.get(place).and_then(|number| table.column(*number));
            Some(column.map(|column| quote_identifier(&column.name)).unwrap_or_default())
        }
    })
}

fn index_definition(index: u32) -> Option<String> {
    let names = names::current()?;
    let (table, index) = names.index(index)?;
    let columns = index.columns.iter().zip(index.orders()).filter_map(|(number, order)| {
        let name = quote_identifier(&table.column(*number)?.name);
        Some(format!("{name}{}", written_order(order)))
    });
    let (name, columns) = (quote_identifier(index.name), columns.collect::<Vec<_>>().join(", "));
    let unique = if index.key.is_some() { "UNIQUE " } else { "" };
    let nulls = if index.key.is_some_and(|key| key.nulls_not_distinct) { " NULLS NOT DISTINCT" } else { "" };
    let method = index.method.name();
    Some(format!("CREATE {unique}INDEX {name} ON {} USING {method} ({columns}){nulls}", table.name))
}

/// The order of a column of an index as it has to be written: NULLs come last, and first behind `DESC`.
fn written_order(order: i16) -> &'static str {
    match (order & DESCENDING != 0, order & NULLS_FIRST != 0) {
        (false, false) => "",
        (false, true) => " NULLS FIRST",
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
    }
}

fn columns(table: &HotTable, numbers: &[i16]) -> String {
    let names = numbers.iter().filter_map(|number| table.column(*number)).map(|it| quote_identifier(&it.name));
    names.collect::<Vec<_>>().join(", ")
}

/// A check is in parentheses of its own but where it is shown `pretty`.
fn constraint_definition(constraint: u32, pretty: bool) -> Option<String> {
    let names = names::current()?;
    let check = |condition: &str| {
        let condition = with_names(condition, &names);
        if pretty { format!("CHECK ({condition})") } else { format!("CHECK (({condition}))") }
    };
    if let Some(it) = names.domain_check(constraint) {
        return Some(check(&it.condition.text));
    }
    let (table, constraint) = names.constraint(constraint).filter(|(_, it)| !it.is_index_only())?;
    let mut text = match &constraint.kind {
        ConstraintKind::Check(Check { condition, .. }) => check(&condition.text),
        ConstraintKind::Key(key) => {
            let what = match (key.primary, key.nulls_not_distinct) {
                (true, _) => "PRIMARY KEY",
                (false, true) => "UNIQUE NULLS NOT DISTINCT",
                (false, false) => "UNIQUE",
            };
            format!("{what} ({})", columns(table, &key.columns))
        }
        ConstraintKind::ForeignKey(foreign) => foreign_key(&names, table, foreign)?,
    };
    if !constraint.is_valid {
        text += " NOT VALID";
    }
    Some(text)
}

fn foreign_key(names: &Names, table: &HotTable, foreign: &ForeignKey) -> Option<String> {
    let Relation::Hot(referenced) = names.snapshot().relation_by_oid(foreign.referenced)? else { return None };
    let mut text = format!(
        "FOREIGN KEY ({}) REFERENCES {}({})",
        columns(table, &foreign.columns),
        names.relation_name(referenced.oid.0)?,
        columns(referenced, &foreign.referenced_columns)
    );
    if foreign.match_full {
        text += " MATCH FULL";
    }
    for (event, action) in [(" ON UPDATE", foreign.on_update), (" ON DELETE", foreign.on_delete)] {
        let action = match action {
            ReferentialAction::NoAction => continue,
            ReferentialAction::Restrict => "RESTRICT",
            ReferentialAction::Cascade => "CASCADE",
            ReferentialAction::SetNull => "SET NULL",
            ReferentialAction::SetDefault => "SET DEFAULT",
        };
        let _ = write!(text, "{event} {action}");
    }
    Some(text)
}
