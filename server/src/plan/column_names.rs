//! What the columns of a result are called, by PostgreSQL's rule (`FigureColname` in parse_target.c): a function's column
//! is named after it, a cast's after what is cast or else the type, and what has no better name is `?column?`.

use sqlparser::ast::{AccessExpr, BinaryOperator, Expr, Query, SelectItem, SetExpr, TrimWhereField};

use crate::plan::relations::identifier;

const NO_NAME: &str = "?column?";

/// Names for the result columns of a query; `None` when the select list has a `*`, whose columns keep their names.
pub fn column_names(query: &Query) -> Option<Vec<String>> {
    match query.body.as_ref() {
        SetExpr::Select(select) => select.projection.iter().map(item_name).collect(),
        SetExpr::Query(query) => column_names(query),
        SetExpr::SetOperation { left, .. } => set_operand_names(left),
        _ => None,
    }
}

fn set_operand_names(operand: &SetExpr) -> Option<Vec<String>> {
    match operand {
        SetExpr::Select(select) => select.projection.iter().map(item_name).collect(),
        SetExpr::Query(query) => column_names(query),
        SetExpr::SetOperation { left, .. } => set_operand_names(left),
        _ => None,
    }
}

fn item_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(expr) => Some(expression_name(expr).unwrap_or_else(|| NO_NAME.to_owned())),
        SelectItem::ExprWithAlias { alias, .. } => Some(identifier(alias)),
        _ => None,
    }
}

/// The name that an expression gives its column, if any.
pub fn expression_name(expr: &Expr) -> Option<String> {
    named(expr).map(|(name, _)| name)
}

/// Whether the expression is called as the column of a scalar subquery, whose text does not tell that name.
pub fn is_named_by_subquery(expr: &Expr) -> bool {
    match expr {
        Expr::Subquery(query) => column_names(query).is_none(),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } | Expr::Cast { expr: inner, .. } => {
            is_named_by_subquery(inner)
        }
        Expr::Case { else_result, .. } => else_result.as_deref().is_some_and(is_named_by_subquery),
        _ => false,
    }
}

/// How good a name is: that of a type or of CASE gives way to a better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strength {
    Weak,
    Strong,
}

fn strong(name: impl Into<String>) -> Option<(String, Strength)> {
    Some((name.into(), Strength::Strong))
}

/// The name unless a part of the expression has a strong one.
fn weak(name: String, part: Option<&Expr>) -> Option<(String, Strength)> {
    part.and_then(named).filter(|(_, strength)| *strength == Strength::Strong).or(Some((name, Strength::Weak)))
}

fn named(expr: &Expr) -> Option<(String, Strength)> {
    match expr {
        Expr::Identifier(name) => strong(identifier(name)),
        Expr::CompoundIdentifier(parts) => strong(identifier(parts.last()?)),
        Expr::CompoundFieldAccess { root, access_chain } => access_name(root, access_chain),
        Expr::Function(function) => strong(identifier(function.name.0.last()?.as_ident()?)),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => named(inner),
        Expr::Cast { expr, data_type, .. } => weak(cast_name(&data_type.to_string()), Some(expr)),
        Expr::TypedString(typed) => weak(cast_name(&typed.data_type.to_string()), None),
        Expr::Interval(_) => weak("interval".into(), None),
        Expr::Case { else_result, .. } => weak("case".into(), else_result.as_deref()),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::Extract { .. } => strong("extract"),
        Expr::Substring { shorthand: true, .. } => strong("substr"),
        Expr::Substring { .. } => strong("substring"),
        Expr::Position { .. } => strong("position"),
        Expr::Trim { trim_where: Some(TrimWhereField::Leading), .. } => strong("ltrim"),
        Expr::Trim { trim_where: Some(TrimWhereField::Trailing), .. } => strong("rtrim"),
        Expr::Trim { .. } => strong("btrim"),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::Exists { negated: false, .. } => strong("exists"),
        Expr::IsNormalized { negated: false, .. } => strong("is_normalized"),
        Expr::Array(_) => strong("array"),
        Expr::Tuple(_) => strong("row"),
        Expr::BinaryOp { op: BinaryOperator::Overlaps, .. } => strong("overlaps"),
        Expr::Subquery(query) => strong(column_names(query)?.into_iter().next()?),
        _ => None,
    }
}

/// `x.field[1]` is called after the last name in it.
fn access_name(root: &Expr, chain: &[AccessExpr]) -> Option<(String, Strength)> {
    let last = chain.iter().rev().find_map(|access| match access {
        AccessExpr::Dot(Expr::Identifier(name)) => Some(identifier(name)),
        _ => None,
    });
    match last {
        Some(name) => strong(name),
        None => named(root),
    }
}

/// The type's own name in `pg_type`, without modifiers.
fn cast_name(written: &str) -> String {
    let zone = written.to_ascii_uppercase().contains("WITH TIME ZONE");
    let name = written.split(['(', '[']).next().unwrap_or_default().trim().to_ascii_lowercase();
    // A name in quotes is as it was written.
    if let Some(quoted) = written.trim().trim_end_matches("[]").strip_suffix('"') {
        let start = quoted.rfind(['"', '.']).map_or(0, |place| place + 1);
        return quoted[start..].to_owned();
    }
    match name.rsplit('.').next().unwrap_or(&name) {
        name if name.starts_with("interval") => "interval",
        "timestamp" if zone => "timestamptz",
        "time" if zone => "timetz",
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "real" => "float4",
        "double precision" | "double" | "float" => "float8",
        "boolean" => "bool",
        "decimal" | "dec" => "numeric",
        "character varying" => "varchar",
        "character" | "char" => "bpchar",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time with time zone" => "timetz",
        "time without time zone" => "time",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Statement, parse};

    fn check(sql: &str, expected: &[&str]) {
        let parsed = parse(sql).unwrap();
        let Statement::Query(query) = &parsed[0].statement else { panic!("{sql} is no query") };
        assert_eq!(column_names(query).unwrap_or_default(), expected, "{sql}");
    }

    #[test]
    fn names_are_postgresqls() {
        check(
            "select 1, a, t.B, \"C\", count(*), pg_catalog.lower('x')",
            &["?column?", "a", "b", "C", "count", "lower"],
        );
        check("select a + 1, a::int, 1::numeric(5,2), date '2024-01-01'", &["?column?", "a", "numeric", "date"]);
        check("select case when a then 1 end, case a when 1 then 2 else b end", &["case", "b"]);
        check("select true, (select max(x) from t), extract(year from d)", &["?column?", "max", "extract"]);
        check("select 1 as one union all select 2", &["one"]);
        check("select *, 1 from t", &[]);
    }
}
