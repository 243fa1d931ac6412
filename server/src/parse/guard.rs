//! Refuses what sqlparser reads and the planner would ignore.

use std::ops::ControlFlow;

use sqlparser::ast::{
    DataType, Expr, Ident, ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr, TableFactor, Visit, Visitor,
    WindowType,
};

use crate::error::{Error, Result};
use crate::parse::position;
use crate::parse::statement::Statement;

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
    let query = match statement {
        Statement::Query(query) => query,
        Statement::Insert(insert) => &insert.source,
        Statement::Explain(explain) => &explain.query,
        _ => return Ok(()),
    };
    match query.visit(&mut Guard) {
        ControlFlow::Break(Refusal::Clause(clause)) => Err(Error::not_supported(clause)),
        ControlFlow::Break(Refusal::Unexpected(word)) => Err(Error::Syntax {
            message: format!("syntax error at or near \"{}\"", word.value),
            detail: None,
            position: position::character(text, word.span.start),
        }),
        ControlFlow::Continue(()) => Ok(()),
    }
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

fn is_quantified_subquery(expr: &Expr) -> bool {
    let (Expr::AnyOp { right, .. } | Expr::AllOp { right, .. }) = expr else { return false };
    let mut right = right.as_ref();
    while let Expr::Nested(inner) = right {
        right = inner;
    }
    matches!(right, Expr::Subquery(_))
}

/// The engine would cut what PostgreSQL rounds.
fn is_rounding_cast(expr: &Expr) -> bool {
    let Expr::Cast { data_type, .. } = expr else { return false };
    matches!(data_type, DataType::Timestamp(Some(0..=5), _) | DataType::Time(Some(0..=5), _))
}

/// `OVER (w ORDER BY x)`: the planner forgets `w`.
fn extends_named_window(expr: &Expr) -> bool {
    let Expr::Function(function) = expr else { return false };
    matches!(&function.over, Some(WindowType::WindowSpec(window)) if window.window_name.is_some())
}

/// The planner forgets what stands around the UNION of a recursive query.
fn recursive_with_more(query: &Query) -> bool {
    let Some(with) = query.with.as_ref().filter(|with| with.recursive) else { return false };
    with.cte_tables.iter().any(|cte| {
        let inner = &cte.query;
        let is_union = matches!(inner.body.as_ref(), SetExpr::SetOperation { .. });
        is_union && (inner.order_by.is_some() || inner.limit_clause.is_some() || inner.with.is_some())
    })
}

/// The engine's functions of these names take another language of patterns, and print PostgreSQL's as they stand.
fn is_formatting_function(expr: &Expr) -> bool {
    let Expr::Function(function) = expr else { return false };
    let name = function.name.0.last().and_then(|part| part.as_ident());
    name.is_some_and(|name| {
        ["to_char", "to_date", "to_timestamp", "to_number"].iter().any(|known| name.value.eq_ignore_ascii_case(known))
    })
}

/// The alias behind a `*`, which PostgreSQL does not know.
fn wildcard_alias(item: &SelectItem) -> Option<&Ident> {
    match item {
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => options.opt_alias.as_ref(),
        _ => None,
    }
}

fn is_reserved(word: &str) -> bool {
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

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        // The engine would take the characters of the text for the bytes.
        let to_bytea = matches!(expr, Expr::Cast { data_type: DataType::Bytea, .. });
        // … and forget the length of the type.
        let to_length = matches!(expr, Expr::Cast { data_type: DataType::Char(_) | DataType::Character(_), .. });
        refuse(&[
            (to_bytea, "a cast to bytea"),
            (to_length, "a cast to a type with a length"),
            // … and take the pattern for a regular expression.
            (matches!(expr, Expr::SimilarTo { .. }), "SIMILAR TO"),
            // The engine confuses the two tables when the subquery reads one of the outer query's.
            (is_quantified_subquery(expr), "ANY or ALL of a subquery"),
            (is_rounding_cast(expr), "a cast to a time or timestamp with a precision"),
            (extends_named_window(expr), "OVER with a named window and more"),
            (is_formatting_function(expr), "formatting with to_char, to_date or to_timestamp"),
        ])
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        refuse(&[
            (!query.locks.is_empty(), "FOR UPDATE"),
            (recursive_with_more(query), "ORDER BY, LIMIT or WITH in a recursive query"),
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
        if let Some(alias) = select.projection.iter().find_map(wildcard_alias) {
            return ControlFlow::Break(Refusal::Unexpected(alias.clone()));
        }
        refuse(&[
            (select.into.is_some(), "SELECT INTO"),
            (select.top.is_some(), "TOP"),
            (select.exclude.is_some(), "EXCLUDE"),
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
            TableFactor::Table {
                sample,
                version,
                with_hints,
                partitions,
                json_path,
                index_hints,
                with_ordinality,
                ..
            } => refuse(&[
                (sample.is_some(), "TABLESAMPLE"),
                (version.is_some(), "a table version"),
                (!with_hints.is_empty() || !index_hints.is_empty(), "a table hint"),
                (!partitions.is_empty(), "PARTITION selection"),
                (json_path.is_some(), "a path behind a table"),
                (*with_ordinality, "WITH ORDINALITY"),
            ]),
            TableFactor::Derived { sample, .. } => refuse(&[(sample.is_some(), "TABLESAMPLE")]),
            TableFactor::Function { with_ordinality, .. } | TableFactor::UNNEST { with_ordinality, .. } => {
                refuse(&[(*with_ordinality, "WITH ORDINALITY")])
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
