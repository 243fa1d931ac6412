//! Expressions as SQL, as PostgreSQL's EXPLAIN writes them (`src/backend/utils/adt/ruleutils.c`).

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::Schema;
use bytes::BytesMut;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, IsNullExpr,
    LambdaExpr, LambdaVariable, LikeExpr, Literal, NegativeExpr, NotExpr, TryCastExpr, UnKnownColumn,
};
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_expr::{HigherOrderFunctionExpr, PhysicalExpr, PhysicalSortExpr, ScalarFunctionExpr};
use pg::Type;
use pg::output::text_writer;
use pg::types::{BOOL, FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC, UNKNOWN};

use crate::lazy::physical_connective;

/// Bytes of an expression that are written. One with a value that stands in several places can be much longer than the query.
const LENGTH_MAX: usize = 10_000;

/// What the columns that expressions are about are called.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// By their places.
    pub columns: &'a [String],
    /// The columns themselves.
    pub schema: &'a Schema,
    /// Subqueries of the plan before those that expressions count from zero.
    pub subqueries: usize,
}

impl Names<'_> {
    /// An expression.
    pub fn sql(&self, expr: &Arc<dyn PhysicalExpr>) -> String {
        Writer { names: *self, values: Vec::new() }.sql(expr)
    }

    /// Expressions.
    pub fn all<'e>(&self, exprs: impl IntoIterator<Item = &'e Arc<dyn PhysicalExpr>>) -> Vec<String> {
        exprs.into_iter().map(|expr| self.sql(expr)).collect()
    }

    /// What rows are sorted by.
    pub fn sort_keys<'e>(&self, keys: impl IntoIterator<Item = &'e PhysicalSortExpr>) -> Vec<String> {
        keys.into_iter().map(|key| format!("{}{}", self.sql(&key.expr), direction(key.options))).collect()
    }

    /// The conditions that an AND connects.
    pub fn conjuncts(&self, expr: &Arc<dyn PhysicalExpr>) -> Vec<String> {
        operands(expr, Operator::And).into_iter().map(|condition| self.sql(condition)).collect()
    }
}

/// What differs from ascending with NULLs last, which are first when descending.
fn direction(options: SortOptions) -> &'static str {
    match (options.descending, options.nulls_first) {
        (false, false) => "",
        (false, true) => " NULLS FIRST",
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
    }
}

struct Writer<'a> {
    names: Names<'a>,
    /// What stands for the variables of lambdas.
    values: Vec<(String, String)>,
}

impl Writer<'_> {
    fn sql(&mut self, expr: &Arc<dyn PhysicalExpr>) -> String {
        let mut written = self.whole(expr);
        if written.len() > LENGTH_MAX {
            let end = (0..=LENGTH_MAX).rev().find(|end| written.is_char_boundary(*end)).unwrap_or_default();
            written.truncate(end);
            written.push('…');
        }
        written
    }

    fn whole(&mut self, expr: &Arc<dyn PhysicalExpr>) -> String {
        if let Some(column) = expr.downcast_ref::<Column>() {
            let name = self.names.columns.get(column.index());
            return name.cloned().unwrap_or_else(|| column.name().to_owned());
        }
        if let Some(literal) = expr.downcast_ref::<Literal>() {
            return constant(literal.value(), &self.type_of(expr));
        }
        if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
            return match binary.op() {
                operator @ (Operator::And | Operator::Or) => self.connected(expr, *operator),
                operator => format!("({} {} {})", self.sql(binary.left()), symbol(*operator), self.sql(binary.right())),
            };
        }
        if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() {
            return self.call(call, expr);
        }
        if let Some(call) = expr.downcast_ref::<HigherOrderFunctionExpr>() {
            return self.higher_order(call, expr);
        }
        self.condition(expr).or_else(|| self.other(expr)).unwrap_or_else(|| expr.to_string())
    }

    /// What is true or false.
    fn condition(&mut self, expr: &Arc<dyn PhysicalExpr>) -> Option<String> {
        if let Some(not) = expr.downcast_ref::<NotExpr>() {
            return Some(format!("(NOT {})", self.sql(not.arg())));
        }
        if let Some(is_null) = expr.downcast_ref::<IsNullExpr>() {
            return Some(format!("({} IS NULL)", self.sql(is_null.arg())));
        }
        if let Some(is_not_null) = expr.downcast_ref::<IsNotNullExpr>() {
            return Some(format!("({} IS NOT NULL)", self.sql(is_not_null.arg())));
        }
        if let Some(list) = expr.downcast_ref::<InListExpr>() {
            return Some(self.in_list(list));
        }
        if let Some(like) = expr.downcast_ref::<LikeExpr>() {
            let not = if like.negated() { "!" } else { "" };
            let any_case = if like.case_insensitive() { "*" } else { "" };
            return Some(format!("({} {not}~~{any_case} {})", self.sql(like.expr()), self.sql(like.pattern())));
        }
        None
    }

    fn other(&mut self, expr: &Arc<dyn PhysicalExpr>) -> Option<String> {
        if let Some(cast) = expr.downcast_ref::<CastExpr>() {
            return Some(self.cast(cast.expr(), expr));
        }
        if let Some(cast) = expr.downcast_ref::<TryCastExpr>() {
            return Some(self.cast(cast.expr(), expr));
        }
        if let Some(case) = expr.downcast_ref::<CaseExpr>() {
            return Some(self.case(case));
        }
        if let Some(negative) = expr.downcast_ref::<NegativeExpr>() {
            return Some(format!("(- {})", self.sql(negative.arg())));
        }
        if let Some(variable) = expr.downcast_ref::<LambdaVariable>() {
            let value = self.values.iter().rev().find(|(name, _)| name == variable.name());
            return Some(value.map_or_else(|| variable.name().to_owned(), |(_, value)| value.clone()));
        }
        if let Some(lambda) = expr.downcast_ref::<LambdaExpr>() {
            return Some(self.sql(lambda.body()));
        }
        if let Some(subquery) = expr.downcast_ref::<ScalarSubqueryExpr>() {
            #[expect(deprecated, reason = "nothing else tells which of a plan's subqueries it is")]
            let number = self.names.subqueries + subquery.index().as_usize();
            return Some(format!("${number}"));
        }
        if let Some(dynamic) = expr.downcast_ref::<DynamicFilterPhysicalExpr>() {
            return dynamic.current().ok().map(|current| self.sql(&current));
        }
        // What the engine is not told, and what can be interrupted.
        match expr.children().as_slice() {
            [only] => Some(self.sql(only)),
            [value, hidden] if hidden.is::<UnKnownColumn>() => Some(self.sql(value)),
            _ => None,
        }
    }

    fn connected(&mut self, expr: &Arc<dyn PhysicalExpr>, operator: Operator) -> String {
        let all: Vec<_> = operands(expr, operator).into_iter().map(|operand| self.sql(operand)).collect();
        format!("({})", all.join(&format!(" {operator} ")))
    }

    fn call(&mut self, call: &ScalarFunctionExpr, expr: &Arc<dyn PhysicalExpr>) -> String {
        let is_symbol = !call.name().contains(|it: char| it.is_alphanumeric() || it == '_');
        match (call.name(), call.args()) {
            ("value", [only]) => self.sql(only),
            ("cast", [only]) => self.cast(only, expr),
            (name, [left, right]) if is_symbol => format!("({} {name} {})", self.sql(left), self.sql(right)),
            (name, [only]) if is_symbol => format!("({name} {})", self.sql(only)),
            (name, args) => {
                let args: Vec<_> = args.iter().map(|arg| self.sql(arg)).collect();
                format!("{name}({})", args.join(", "))
            }
        }
    }

    fn higher_order(&mut self, call: &HigherOrderFunctionExpr, expr: &Arc<dyn PhysicalExpr>) -> String {
        if let Some(operator) = physical_connective(call) {
            return self.connected(expr, operator);
        }
        // A value that stands in several places.
        if let [value, body] = call.args()
            && let Some(lambda) = body.downcast_ref::<LambdaExpr>()
            && let [name] = lambda.params()
        {
            let value = self.sql(value);
            self.values.push((name.clone(), value));
            let written = self.sql(lambda.body());
            self.values.pop();
            return written;
        }
        let args: Vec<_> = call.args().iter().map(|arg| self.sql(arg)).collect();
        format!("{}({})", call.name(), args.join(", "))
    }

    fn cast(&mut self, operand: &Arc<dyn PhysicalExpr>, to: &Arc<dyn PhysicalExpr>) -> String {
        format!("({})::{}", self.sql(operand), self.type_of(to).name())
    }

    fn case(&mut self, case: &CaseExpr) -> String {
        let mut written = String::from("CASE");
        if let Some(operand) = case.expr() {
            written.push_str(&format!(" {}", self.sql(operand)));
        }
        for (when, then) in case.when_then_expr() {
            written.push_str(&format!(" WHEN {} THEN {}", self.sql(when), self.sql(then)));
        }
        if let Some(otherwise) = case.else_expr() {
            written.push_str(&format!(" ELSE {}", self.sql(otherwise)));
        }
        format!("{written} END")
    }

    /// `= ANY` of an array.
    fn in_list(&mut self, list: &InListExpr) -> String {
        let operator = if list.negated() { "<> ALL" } else { "= ANY" };
        let literals: Option<Vec<&ScalarValue>> =
            list.list().iter().map(|item| item.downcast_ref::<Literal>().map(Literal::value)).collect();
        let array = match (literals, list.list().first()) {
            (Some(values), Some(first)) => {
                let element = self.type_of(first);
                let items: Vec<_> = values.into_iter().map(|value| element_text(value, &element)).collect();
                format!("'{{{}}}'::{}[]", items.join(",").replace('\'', "''"), element.name())
            }
            _ => format!("ARRAY[{}]", list.list().iter().map(|item| self.sql(item)).collect::<Vec<_>>().join(", ")),
        };
        format!("({} {operator} ({array}))", self.sql(list.expr()))
    }

    fn type_of(&self, expr: &Arc<dyn PhysicalExpr>) -> Type {
        let field = expr.return_field(self.names.schema);
        field.map_or_else(|_| Type::of(UNKNOWN), |field| Type::of_field(&field))
    }
}

/// What AND or OR connects, whatever it does with it.
fn operands(expr: &Arc<dyn PhysicalExpr>, operator: Operator) -> Vec<&Arc<dyn PhysicalExpr>> {
    if let Some(binary) = expr.downcast_ref::<BinaryExpr>()
        && *binary.op() == operator
    {
        let mut all = operands(binary.left(), operator);
        all.extend(operands(binary.right(), operator));
        return all;
    }
    if let Some(call) = expr.downcast_ref::<HigherOrderFunctionExpr>()
        && physical_connective(call) == Some(operator)
    {
        let body = |arg| -> &Arc<dyn PhysicalExpr> {
            let arg: &Arc<dyn PhysicalExpr> = arg;
            arg.downcast_ref::<LambdaExpr>().map_or(arg, LambdaExpr::body)
        };
        return call.args().iter().flat_map(|arg| operands(body(arg), operator)).collect();
    }
    vec![expr]
}

fn symbol(operator: Operator) -> String {
    match operator {
        Operator::NotEq => "<>".to_owned(),
        other => other.to_string(),
    }
}

/// A constant: numbers and truth values as they are, others as texts of their types.
fn constant(value: &ScalarValue, ty: &Type) -> String {
    let Some(text) = text_of(value, ty) else { return format!("NULL::{}", ty.name()) };
    match ty.oid {
        INT2 | INT4 | INT8 | NUMERIC | FLOAT4 | FLOAT8 if !text.starts_with('-') => text,
        BOOL => value.to_string(),
        _ => format!("'{}'::{}", text.replace('\'', "''"), ty.name()),
    }
}

/// An element of an array as text.
fn element_text(value: &ScalarValue, ty: &Type) -> String {
    match text_of(value, ty) {
        None => "NULL".to_owned(),
        Some(text) if text.is_empty() || text.contains([',', '"', '\\', '{', '}', ' ']) => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Some(text) => text,
    }
}

/// A value as text; `None` of NULL.
fn text_of(value: &ScalarValue, ty: &Type) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let written = || {
        let array = value.to_array().ok()?;
        let mut out = BytesMut::new();
        let writer = text_writer(&array, ty.oid, ty.typmod).ok()?;
        writer(0, &mut out).ok()?;
        String::from_utf8(out.to_vec()).ok()
    };
    Some(written().unwrap_or_else(|| value.to_string()))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use pg::types::TEXT;

    use super::*;

    /// Of no columns.
    fn written(expr: Arc<dyn PhysicalExpr>) -> String {
        let columns = ["t.a".to_owned()];
        let schema = Schema::new(vec![Type::of(INT4).field("a")]);
        Names { columns: &columns, schema: &schema, subqueries: 0 }.sql(&expr)
    }

    fn literal(value: ScalarValue, oid: u32) -> Arc<dyn PhysicalExpr> {
        let field: Field = Type::of(oid).field("value");
        Arc::new(Literal::new_with_metadata(value, Some(field.metadata().clone().into())))
    }

    #[test]
    fn constants_have_their_types() {
        assert_eq!(written(literal(ScalarValue::Int32(Some(5)), INT4)), "5");
        assert_eq!(written(literal(ScalarValue::Int32(Some(-5)), INT4)), "'-5'::integer");
        assert_eq!(written(literal(ScalarValue::Int32(None), INT4)), "NULL::integer");
        assert_eq!(written(literal(ScalarValue::Utf8View(Some("it's".into())), TEXT)), "'it''s'::text");
        assert_eq!(written(literal(ScalarValue::Boolean(Some(true)), BOOL)), "true");
    }

    #[test]
    fn conditions_are_joined() {
        let column = || Arc::new(Column::new("a", 0)) as Arc<dyn PhysicalExpr>;
        let compared = |operator, value| -> Arc<dyn PhysicalExpr> {
            let value = literal(ScalarValue::Int32(Some(value)), INT4);
            Arc::new(BinaryExpr::new(column(), operator, value))
        };
        let and = |left, right| -> Arc<dyn PhysicalExpr> { Arc::new(BinaryExpr::new(left, Operator::And, right)) };
        let three = and(and(compared(Operator::Gt, 1), compared(Operator::NotEq, 2)), compared(Operator::Lt, 9));
        assert_eq!(written(three), "((t.a > 1) AND (t.a <> 2) AND (t.a < 9))");
        let list = [3, 5].map(|value| literal(ScalarValue::Int32(Some(value)), INT4)).to_vec();
        let schema = Schema::new(vec![Type::of(INT4).field("a")]);
        let list =
            InListExpr::try_new(column(), list, true, &schema).map(|list| Arc::new(list) as Arc<dyn PhysicalExpr>);
        assert_eq!(list.map(written).unwrap_or_default(), "(t.a <> ALL ('{3,5}'::integer[]))");
    }
}
