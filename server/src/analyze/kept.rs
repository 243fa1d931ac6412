//! Expressions that definitions keep as text: defaults, conditions, what generated columns are computed by.

use std::ops::ControlFlow;

use catalog::user_type::WrittenExpression;
use catalog::{ColumnDefault, HotTable, Oid, SqlType};
use datafusion::common::Column as PlanColumn;
use pg::Type;
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::user_types::type_of_column;
use sqlparser::ast::{self, SelectItem, SetExpr, Visit, Visitor};
use sqlparser::tokenizer::Location;

use crate::analyze::coerce::{can_coerce, native};
use crate::analyze::domain::has_domain;
use crate::analyze::location::Located;
use crate::analyze::scope::{Level, Namespace, Place, ScopeColumn, ScopeRelation};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::error::{Error, Result};
use crate::parse::position;

/// The functions whose argument names a sequence.
const OF_SEQUENCES: &[&str] = &["nextval", "currval", "setval"];
/// What stands before an expression when it is read by itself.
const BEFORE: &str = "SELECT (";

/// What an expression is kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptAs {
    /// `DEFAULT`
    Default,
    /// `CHECK`
    Check,
    /// `GENERATED ALWAYS AS`
    Generated,
    /// `COPY … FROM … WHERE`, which is kept for as long as the statement runs
    CopyWhere,
    /// A parameter of `EXECUTE`, which is evaluated at once
    ExecuteParameter,
}

impl KeptAs {
    /// What messages call it, and many of it.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            KeptAs::Default => ("DEFAULT expression", "DEFAULT expressions"),
            KeptAs::Check => ("check constraint", "check constraints"),
            KeptAs::CopyWhere => ("COPY FROM WHERE condition", "COPY FROM WHERE conditions"),
            KeptAs::ExecuteParameter => ("EXECUTE parameter", "EXECUTE parameters"),
            KeptAs::Generated => ("column generation expression", "column generation expressions"),
        }
    }
}

/// The columns of a table, as expressions over a row of it see them; the plan calls them by their bare names.
pub fn row_namespace(table: &HotTable) -> Namespace {
    let column = |column: &catalog::Column| {
        let ty = type_of_column(&column.sql_type);
        ScopeColumn::new(&column.name, PlanColumn::new_unqualified(&column.name), ty)
    };
    let columns = table.columns.iter().map(column).collect();
    let schema = Some(table.name.schema.clone());
    Namespace::of(ScopeRelation {
        name: Some(table.name.name.clone()),
        schema,
        columns,
        system_columns: Vec::new(),
        is_scalar: false,
    })
}

impl Analyzer<'_> {
    /// An expression that was written elsewhere.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub fn written_expression(
        &mut self,
        written: &WrittenExpression,
        namespace: Namespace,
        kept: KeptAs,
    ) -> Result<Typed> {
        let context = self.context.under(&written.search_path);
        let expr = expression_of(&written.text)?;
        Analyzer::new(&context, "", Vec::new()).kept_expression(&expr, namespace, kept)
    }

    /// An expression that is to be kept, over these columns.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    pub fn kept_expression(&mut self, expr: &ast::Expr, namespace: Namespace, kept: KeptAs) -> Result<Typed> {
        let (one, many) = kept.names();
        if expr.visit(&mut Queries).is_break() {
            let message = format!("cannot use subquery in {one}");
            return Err(self.at(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message), expr));
        }
        self.keeps = kept != KeptAs::CopyWhere;
        self.levels.push(Level { namespace, place: Some(Place::Plain(many)), ..Level::default() });
        let value = match kept {
            KeptAs::Check => self.condition(expr, "CHECK"),
            KeptAs::CopyWhere => self.condition(expr, "WHERE"),
            KeptAs::Default | KeptAs::Generated | KeptAs::ExecuteParameter => self.expression(expr),
        };
        self.levels.pop();
        match (value, kept) {
            (Err(Error::Sql { error, position }), KeptAs::Default) if error.sqlstate == SqlState::UNDEFINED_COLUMN => {
                let message = format!("cannot use column reference in {one}");
                let error = Box::new(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
                Err(Error::Sql { error, position })
            }
            (value, _) => value,
        }
    }

    /// The value as one of a column, by an assignment cast.
    ///
    /// # Errors
    /// 42804 when there is none.
    pub fn as_column(&mut self, value: Typed, column: &catalog::Column) -> Result<Typed> {
        let ty = type_of_column(&column.sql_type);
        if !can_coerce(value.ty.oid, ty.oid, CastContext::Assignment) {
            let (from, to) = (value.ty.name(), Type::of(ty.oid).name());
            let message =
                format!("column \"{}\" is of type {to} but default expression is of type {from}", column.name);
            let error = PgError::new(SqlState::DATATYPE_MISMATCH, message);
            return Err(error.with_hint("You will need to rewrite or cast the expression.").into());
        }
        let value = self.coerce(value, &ty, CastContext::Assignment)?;
        let value = self.in_dimensions(value, &ty)?;
        Ok(native(value, ty))
    }

    /// What a column has that a statement gives no value: its default, that of its domain, or NULL.
    ///
    /// # Errors
    /// The default cannot be read any more.
    pub fn default_of(&mut self, column: &catalog::Column) -> Result<Typed> {
        let value = match &column.default {
            Some(ColumnDefault::Expression(written)) => {
                self.written_expression(written, Namespace::default(), KeptAs::Default)?
            }
            Some(ColumnDefault::Identity { sequence, .. }) => {
                let next = expression_of(&next_value(*sequence))?;
                Analyzer::new(self.context, "", Vec::new()).kept_expression(
                    &next,
                    Namespace::default(),
                    KeptAs::Default,
                )?
            }
            Some(ColumnDefault::Generated(_)) | None if has_domain(&column.sql_type) => {
                return self.domain_default(&column.sql_type);
            }
            Some(ColumnDefault::Generated(_)) | None => Typed::null(),
        };
        self.as_column(value, column)
    }

    /// The default of a column without its conversion to the column's type, which another one takes the place of. A constant
    /// that has a type as the default alone keeps that, but for its length (PostgreSQL's `strip_implicit_coercions`).
    ///
    /// # Errors
    /// The default cannot be read any more.
    pub fn unconverted_default(&mut self, default: &WrittenExpression, ty: &SqlType) -> Result<WrittenExpression> {
        let value = self.written_expression(default, Namespace::default(), KeptAs::Default)?;
        if !value.is_unknown() {
            return Ok(default.clone());
        }
        let ty = match ty {
            // The name without a length is that of one character.
            SqlType::Char(_) => "bpchar".to_owned(),
            SqlType::User(_) => ty.to_string(),
            _ => Type::of(type_of_column(ty).oid).name(),
        };
        // A string constant is shown with its type as PostgreSQL shows it; clients read defaults.
        let text = match default.text.starts_with('\'') && default.text.ends_with('\'') {
            true => format!("{}::{ty}", default.text),
            false => format!("CAST(({}) AS {ty})", default.text),
        };
        Ok(WrittenExpression { text, ..default.clone() })
    }

    /// What a generated column is computed by, over the columns of a row, before it becomes one of its values.
    ///
    /// # Errors
    /// The expression cannot be read any more.
    pub fn generation_expression(&mut self, written: &WrittenExpression, row: Namespace) -> Result<Typed> {
        self.written_expression(written, row, KeptAs::Generated)
    }
}

/// The text of the next value of a sequence.
pub fn next_value(sequence: Oid) -> String {
    format!("nextval('{}')", sequence.0)
}

/// The text with sequences named by their numbers, so that they can be renamed, and those numbers.
///
/// # Errors
/// 42P01 when there is no such relation.
pub fn with_numbers(text: String) -> Result<(String, Vec<Oid>)> {
    let mut names = SequenceNames::default();
    let expr = expression_of(&text)?;
    let _ = expr.visit(&mut names);
    let (source, mut text) = (format!("{BEFORE}{text})"), text);
    let mut numbers = Vec::new();
    // From the end, so that the places before stay what they are.
    names.0.sort_by_key(|(start, ..)| std::cmp::Reverse((start.line, start.column)));
    for (start, end, name) in names.0 {
        let bytes = position::byte_offset(&source, start).zip(position::byte_offset(&source, end));
        let Some((start, end)) = bytes else { continue };
        let number = pg::input::object_name::relation_number(&name)?;
        text.replace_range(start - BEFORE.len()..end - BEFORE.len(), &format!("'{number}'"));
        if !numbers.contains(&Oid(number)) {
            numbers.push(Oid(number));
        }
    }
    Ok((text, numbers))
}

/// Finds the constants that name sequences: where they stand, and what they say.
#[derive(Default)]
struct SequenceNames(Vec<(Location, Location, String)>);

impl Visitor for SequenceNames {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        let ast::Expr::Function(call) = expr else { return ControlFlow::Continue(()) };
        let name = call.name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
        let ast::FunctionArguments::List(list) = &call.args else { return ControlFlow::Continue(()) };
        let first = match list.args.first() {
            Some(ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(first))) => first,
            _ => return ControlFlow::Continue(()),
        };
        if OF_SEQUENCES.contains(&name.as_str()) {
            self.0.extend(named_sequence(first));
        }
        ControlFlow::Continue(())
    }
}

/// `'name'` or `'name'::regclass`
fn named_sequence(expr: &ast::Expr) -> Option<(Location, Location, String)> {
    let (value, place) = match expr {
        ast::Expr::Cast { expr, data_type: ast::DataType::Regclass, .. } => (expr.as_ref(), expr.place()),
        value => (value, value.place()),
    };
    match value {
        ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::SingleQuotedString(name), .. }) => {
            Some((place.start, place.end, name.clone()))
        }
        _ => None,
    }
}

/// Finds queries in an expression.
pub(super) struct Queries;

impl Visitor for Queries {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &ast::Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

/// The expression in a text that has been read before.
pub(super) fn expression_of(text: &str) -> Result<ast::Expr> {
    let query = crate::parse::query(&format!("{BEFORE}{text})"))?;
    if let SetExpr::Select(select) = *query.body
        && let Some(SelectItem::UnnamedExpr(expr)) = select.projection.into_iter().next()
    {
        return Ok(expr);
    }
    Err(PgError::internal("an expression of a definition cannot be read").into())
}
