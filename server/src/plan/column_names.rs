//! What the columns of a result are called, by PostgreSQL's rule (`FigureColname` in parse_target.c): a function's column
//! is named after it, a cast's after what is cast or else the type, and what has no better name is `?column?`.

use sqlparser::ast::{Expr, Query, SelectItem, SetExpr};

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

fn expression_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(identifier(name)),
        Expr::CompoundIdentifier(parts) => parts.last().map(identifier),
        Expr::Function(function) => function.name.0.last()?.as_ident().map(identifier),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } | Expr::AtTimeZone { timestamp: inner, .. } => {
            expression_name(inner)
        }
        Expr::Cast { expr, data_type, .. } => expression_name(expr).or_else(|| Some(cast_name(&data_type.to_string()))),
        Expr::TypedString(typed) => Some(cast_name(&typed.data_type.to_string())),
        Expr::Case { else_result, .. } => {
            let from_else = else_result.as_ref().and_then(|expr| expression_name(expr));
            Some(from_else.unwrap_or_else(|| "case".to_owned()))
        }
        Expr::Extract { .. } => Some("extract".into()),
        Expr::Substring { .. } => Some("substring".into()),
        Expr::Position { .. } => Some("position".into()),
        Expr::Trim { .. } => Some("btrim".into()),
        Expr::Overlay { .. } => Some("overlay".into()),
        Expr::Ceil { .. } => Some("ceil".into()),
        Expr::Floor { .. } => Some("floor".into()),
        Expr::Exists { .. } => Some("exists".into()),
        Expr::Array(_) => Some("array".into()),
        Expr::Interval(_) => Some("interval".into()),
        Expr::Subquery(query) => column_names(query)?.into_iter().next(),
        Expr::Value(value) => match value.value {
            sqlparser::ast::Value::Boolean(_) => Some("bool".into()),
            _ => None,
        },
        _ => None,
    }
}

/// The type's own name in `pg_type`, without modifiers.
fn cast_name(written: &str) -> String {
    let name = written.split('(').next().unwrap_or_default().trim().to_ascii_lowercase();
    match name.as_str() {
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
        check("select true, (select max(x) from t), extract(year from d)", &["bool", "max", "extract"]);
        check("select 1 as one union all select 2", &["one"]);
        check("select *, 1 from t", &[]);
    }
}
