//! Refuses what sqlparser reads and the planner would ignore.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Ident, ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr, TableFactor, Visit, Visitor,
};

use crate::error::{Error, Result};
use crate::parse::merge::{Merge, MergeAction};
use crate::parse::position;
use crate::parse::statement::{Assignment, CopySource, CopyTo, Insert, Modify, ModifyKind, RowsOf, Statement};

/// Words that PostgreSQL does not take as the name of a relation unless they are quoted; sqlparser takes some of them.
const RESERVED_WORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

/// # Errors
/// 0A000 for a clause that has no effect in the planner, 42601 for a reserved word as a relation's name.
pub fn check(statement: &Statement, text: &str) -> Result<()> {
    let visited = match statement {
        Statement::Query(query) => query.visit(&mut Guard),
        Statement::CreateTableAs(create) => visit_rows(&create.query),
        Statement::CreateExternalTableAs(create) => create.query.visit(&mut Guard),
        Statement::Declare(declare) => declare.query.visit(&mut Guard),
        Statement::Prepare(prepare) => return check(&prepare.statement, text),
        Statement::Execute(execute) => execute.parameters.visit(&mut Guard),
        Statement::Insert(insert) => visit_insert(insert),
        Statement::Explain(explain) => return check(&explain.statement, text),
        Statement::Modify(modify) => visit_modify(modify),
        Statement::CopyTo(CopyTo { source: CopySource::Query(query), .. }) => query.visit(&mut Guard),
        Statement::CopyTo(CopyTo { source: CopySource::Change(change), .. }) => return check(change, text),
        Statement::CopyFrom(copy) => copy.condition.visit(&mut Guard),
        _ => return Ok(()),
    };
    match visited {
        ControlFlow::Break(Refusal::Clause(clause)) => Err(Error::not_supported(clause)),
        ControlFlow::Break(Refusal::Unexpected(word)) => Err(Error::Syntax {
            message: format!("syntax error at or near \"{}\"", word.value),
            detail: None,
            position: position::character(text, word.span.start),
        }),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn visit_rows(rows: &RowsOf) -> ControlFlow<Refusal> {
    match rows {
        RowsOf::Query(query) => query.visit(&mut Guard),
        RowsOf::Execute(execute) => execute.parameters.visit(&mut Guard),
    }
}

fn visit_insert(insert: &Insert) -> ControlFlow<Refusal> {
    insert.with.visit(&mut Guard)?;
    insert.source.iter().try_for_each(|source| source.visit(&mut Guard))?;
    visit_returning(&insert.returning)
}

fn visit_returning(returning: &[SelectItem]) -> ControlFlow<Refusal> {
    if let Some(alias) = returning.iter().find_map(wrong_alias) {
        return ControlFlow::Break(Refusal::Unexpected(alias.clone()));
    }
    returning.iter().try_for_each(|item| item.visit(&mut Guard))
}

fn visit_modify(modify: &Modify) -> ControlFlow<Refusal> {
    modify.with.visit(&mut Guard)?;
    match &modify.kind {
        ModifyKind::Delete => {}
        ModifyKind::Update(assignments) => visit_assignments(assignments)?,
        ModifyKind::Merge(merge) => visit_merge(merge)?,
    }
    modify.from.visit(&mut Guard)?;
    modify.selection.visit(&mut Guard)?;
    visit_returning(&modify.returning)
}

fn visit_merge(merge: &Merge) -> ControlFlow<Refusal> {
    if let Merge::Clauses(clauses) = merge {
        clauses.iter().try_for_each(|clause| clause.condition.visit(&mut Guard))?;
    }
    merge.actions().try_for_each(|action| match action {
        MergeAction::Nothing | MergeAction::Delete => ControlFlow::Continue(()),
        MergeAction::Update(assignments) => visit_assignments(assignments),
        MergeAction::Insert(insert) => insert.values.visit(&mut Guard),
    })
}

fn visit_assignments(assignments: &[Assignment]) -> ControlFlow<Refusal> {
    assignments.iter().try_for_each(|assignment| assignment.value.visit(&mut Guard))
}

struct Guard;

/// What is refused.
enum Refusal {
    Clause(&'static str),
    Unexpected(Ident),
}

/// Breaks with the name of the first clause that was written.
fn refuse(clauses: &[(bool, &'static str)]) -> ControlFlow<Refusal> {
    match clauses.iter().find(|(written, _)| *written) {
        Some((_, clause)) => ControlFlow::Break(Refusal::Clause(clause)),
        None => ControlFlow::Continue(()),
    }
}

/// An alias that PostgreSQL does not know: behind a `*`, or in single quotes.
fn wrong_alias(item: &SelectItem) -> Option<&Ident> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias).filter(|alias| alias.quote_style == Some('\'')),
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => options.opt_alias.as_ref(),
        _ => None,
    }
}

/// Whether a word cannot be a name as it is.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED_WORDS.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

impl Visitor for Guard {
    type Break = Refusal;

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Self::Break> {
        let first = relation.0.first().and_then(|part| part.as_ident());
        match first {
            Some(word) if word.quote_style.is_none() && is_reserved(&word.value) => {
                ControlFlow::Break(Refusal::Unexpected(word.clone()))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        refuse(&[
            (!query.locks.is_empty(), "FOR UPDATE"),
            (query.for_clause.is_some(), "FOR XML, JSON or BROWSE"),
            (query.settings.is_some(), "SETTINGS"),
            (query.format_clause.is_some(), "FORMAT"),
            (!query.pipe_operators.is_empty(), "|>"),
            (
                matches!(
                    query.body.as_ref(),
                    SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)
                ),
                "a data-modifying statement in WITH",
            ),
        ])
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        if let Some(alias) = select.projection.iter().find_map(wrong_alias) {
            return ControlFlow::Break(Refusal::Unexpected(alias.clone()));
        }
        refuse(&[
            (select.into.is_some(), "SELECT INTO"),
            (select.prewhere.is_some(), "PREWHERE"),
            (!select.connect_by.is_empty(), "CONNECT BY"),
            (!select.lateral_views.is_empty(), "LATERAL VIEW"),
            (!select.cluster_by.is_empty(), "CLUSTER BY"),
            (!select.distribute_by.is_empty(), "DISTRIBUTE BY"),
            (!select.sort_by.is_empty(), "SORT BY"),
            (select.value_table_mode.is_some(), "AS STRUCT or AS VALUE"),
            (select.select_modifiers.is_some(), "a SELECT modifier"),
            (!matches!(select.flavor, SelectFlavor::Standard), "FROM before SELECT"),
        ])
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Self::Break> {
        match factor {
            TableFactor::Table { version, with_hints, partitions, json_path, index_hints, .. } => refuse(&[
                (version.is_some(), "a table version"),
                (!with_hints.is_empty() || !index_hints.is_empty(), "a table hint"),
                (!partitions.is_empty(), "PARTITION selection"),
                (json_path.is_some(), "a path behind a table"),
            ]),
            TableFactor::Derived { sample, .. } => refuse(&[(sample.is_some(), "TABLESAMPLE")]),
            _ => ControlFlow::Continue(()),
        }
    }
}
