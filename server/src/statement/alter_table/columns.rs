//! Columns that go, and change.

use catalog::user_type::WrittenExpression;
use catalog::{Column, ColumnDefault, ConstraintKind, SqlType};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use super::changes::Altering;
use super::dependents::{drop_sequences_of, drop_views_of, view_of};
use super::verify::Demand;
use super::{constraints, no_column, refused};
use crate::analyze::Analyzer;
use crate::analyze::kept::KeptAs;
use crate::analyze::rewrite::{ColumnSource, check_automatic};
use crate::analyze::scope::Namespace;
use crate::error::{Error, Result};
use crate::parse::definition::Expression;
use crate::parse::statement::UsingExpression;
use crate::plan::PlanContext;
use crate::plan::relations::{NameScope, identifier};
use crate::plan::types::column_type;
use crate::session::Session;
use crate::statement::table_definition::{Definition, check_index_type, check_key_type};

fn column_of_type(session: &mut Session, data_type: &ast::DataType) -> Result<SqlType> {
    let names = session.names()?;
    let _entered = names.enter();
    let sql_type = column_type(data_type)?;
    match sql_type.is_nested() {
        true => Err(Error::not_supported(format!("a column of type {sql_type} in a hot table"))),
        false => Ok(sql_type),
    }
}

/// `DROP COLUMN`
pub(super) fn drop(
    session: &mut Session,
    altering: &mut Altering,
    name: &str,
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let Ok(column) = altering.column(name) else {
        if !if_exists {
            return Err(no_column(&altering.new, name));
        }
        let relation = &altering.new.name.name;
        session.notice(format!("column \"{name}\" of relation \"{relation}\" does not exist, skipping"));
        return Ok(());
    };
    let number = column.attribute_number;
    let scope = NameScope::of(session);
    check_no_redshift_key(altering, number, name)?;
    for computed in generated_from(altering, name)? {
        let table = &altering.new.name.name;
        let dependent = format!("column {computed} of table {table}");
        if !cascade {
            let needed = format!("column {name} of table {table}");
            return Err(Error::still_needed(&needed, &[format!("{dependent} depends on {needed}")]));
        }
        altering.cascaded.push(dependent);
        drop(session, altering, &computed, false, cascade)?;
    }
    drop_views_of(&scope, altering, number, cascade)?;
    let over: Vec<_> = altering.new.constraints_over(number).cloned().collect();
    for constraint in over {
        constraints::remove(&scope, altering, &constraint, cascade)?;
    }
    altering.new.plain_indexes.retain(|index| !index.columns.contains(&number));
    drop_sequences_of(&scope, altering, number, cascade)?;
    let encoding = format!("{name} ");
    altering.new.options.retain(|(keyword, value)| keyword != "ENCODE" || !value.starts_with(&encoding));
    altering.new.columns.retain(|column| column.attribute_number != number);
    Ok(())
}

/// As in Redshift, the columns by which rows are sorted or distributed stay.
fn check_no_redshift_key(altering: &Altering, number: i16, name: &str) -> Result<()> {
    let distributes = |(keyword, value): &(String, String)| keyword == "DISTKEY" && value == name;
    let key = match () {
        () if altering.new.sort_key.contains(&number) => "sortkey",
        () if altering.new.options.iter().any(distributes) => "distkey",
        () => return Ok(()),
    };
    Err(refused(SqlState::FEATURE_NOT_SUPPORTED, format!("cannot drop {key} column \"{name}\"")))
}

/// The columns that are computed from this one.
fn generated_from(altering: &Altering, name: &str) -> Result<Vec<String>> {
    let mut computed = Vec::new();
    for column in &altering.new.columns {
        if let Some(ColumnDefault::Generated(expression)) = &column.default
            && super::names::mentions(&expression.text, name)?
        {
            computed.push(column.name.clone());
        }
    }
    Ok(computed)
}

/// `ALTER COLUMN … TYPE`
pub(super) fn set_type(
    session: &mut Session,
    altering: &mut Altering,
    column: &ast::Ident,
    data_type: &ast::DataType,
    using: Option<&UsingExpression>,
) -> Result<()> {
    let column = altering.column(&identifier(column))?.clone();
    let number = column.attribute_number;
    check_free_to_change(session, altering, &column)?;
    let sql_type = column_of_type(session, data_type)?;
    for index in altering.new.indexes().filter(|index| index.columns.contains(&number)) {
        match index.key {
            Some(_) => check_key_type(&sql_type)?,
            None => check_index_type(&sql_type, index.method)?,
        }
    }
    let names = session.names()?;
    let _entered = names.enter();
    if using.is_none() {
        check_automatic(&column.name, &column.sql_type, &sql_type)?;
    }
    let default = match &column.default {
        Some(ColumnDefault::Expression(default)) => {
            Some(ColumnDefault::Expression(converted_default(session, altering, &column, default, &sql_type)?))
        }
        other => other.clone(),
    };
    if using.is_some() || !keeps_representation(&column.sql_type, &sql_type) {
        altering.rewrites = true;
        // What a constraint says of the values may be something else for the new ones.
        let over = altering.new.constraints_over(number).filter(|constraint| constraint.is_valid);
        let over: Vec<_> = over.map(|constraint| constraint.name.clone()).collect();
        over.into_iter().for_each(|name| altering.demand(Demand::Constraint(name)));
    }
    if column.sql_type == sql_type && using.is_none() {
        return Ok(());
    }
    let source = ColumnSource::Converted(column.clone(), using.map(|using| using.expr.clone()));
    altering.sources.insert(number, source);
    let changed = altering.column_mut(&column.name)?;
    changed.sql_type = sql_type;
    changed.default = default;
    Ok(())
}

/// The default of a column that gets another type.
fn converted_default(
    session: &Session,
    altering: &Altering,
    column: &Column,
    default: &WrittenExpression,
    sql_type: &SqlType,
) -> Result<WrittenExpression> {
    let context = PlanContext::new(session, altering.snapshot.clone());
    let mut analyzer = Analyzer::new(&context, "", Vec::new());
    let default = analyzer.unconverted_default(default, &column.sql_type)?;
    let value = analyzer.written_expression(&default, Namespace::default(), KeptAs::Default)?;
    let changed = Column { sql_type: sql_type.clone(), ..column.clone() };
    if analyzer.as_column(value, &changed).is_err() {
        let (name, shown) = (&column.name, pg::Type::of_column(sql_type).name());
        let message = format!("default for column \"{name}\" cannot be cast automatically to type {shown}");
        return Err(refused(SqlState::DATATYPE_MISMATCH, message));
    }
    Ok(default)
}

fn check_free_to_change(session: &Session, altering: &Altering, column: &Column) -> Result<()> {
    let name = &column.name;
    if let Some(view) = view_of(&NameScope::of(session), altering, column.attribute_number) {
        let error =
            PgError::new(SqlState::FEATURE_NOT_SUPPORTED, "cannot alter type of a column used by a view or rule");
        return Err(error.with_detail(format!("rule _RETURN on {view} depends on column \"{name}\"")).into());
    }
    if matches!(column.default, Some(ColumnDefault::Identity { .. } | ColumnDefault::Generated(_))) {
        return Err(Error::not_supported("ALTER COLUMN … TYPE of a generated column"));
    }
    for other in &altering.new.columns {
        if let Some(ColumnDefault::Generated(expression)) = &other.default
            && super::names::mentions(&expression.text, name)?
        {
            let error = PgError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "cannot alter type of a column used by a generated column",
            );
            let detail = format!("Column \"{name}\" is used by generated column \"{}\".", other.name);
            return Err(error.with_detail(detail).into());
        }
    }
    Ok(())
}

/// Whether values of one type are values of the other as they are, at rest and in flight.
fn keeps_representation(from: &SqlType, to: &SqlType) -> bool {
    use SqlType::{Numeric, Text, Varchar};
    match (from, to) {
        (same, other) if same == other => true,
        (Text | Varchar(_), Text | Varchar(None)) => true,
        (Varchar(Some(from)), Varchar(Some(to))) => from <= to,
        (Numeric(Some(from)), Numeric(Some(to_size))) => {
            let (kept, other) = (Numeric(Some(*from)), Numeric(Some(*to_size)));
            from.scale == to_size.scale && from.precision <= to_size.precision && kept.at_rest() == other.at_rest()
        }
        _ => false,
    }
}

/// `ALTER COLUMN … SET DEFAULT`, `DROP DEFAULT`
pub(super) fn set_default(
    session: &mut Session,
    altering: &mut Altering,
    column: &ast::Ident,
    default: Option<&Expression>,
    text: &str,
) -> Result<()> {
    let column = altering.column(&identifier(column))?.clone();
    let (name, relation) = (&column.name, &altering.new.name.name);
    let what = match column.default {
        Some(ColumnDefault::Identity { .. }) => Some("an identity column"),
        Some(ColumnDefault::Generated(_)) => Some("a generated column"),
        _ => None,
    };
    if let Some(what) = what {
        let message = format!("column \"{name}\" of relation \"{relation}\" is {what}");
        return Err(refused(SqlState::SYNTAX_ERROR, message));
    }
    let default = match default {
        Some(default) => {
            let context = PlanContext::new(session, altering.snapshot.clone());
            let _entered = context.names().enter();
            let definition = Definition::new(&context, &session.server, text, altering.new.clone());
            Some(definition.column_default(default, &column)?)
        }
        None => None,
    };
    altering.column_mut(&column.name)?.default = default;
    Ok(())
}

/// `ALTER COLUMN … SET NOT NULL`, `DROP NOT NULL`
pub(super) fn set_not_null(altering: &mut Altering, column: &ast::Ident, not_null: bool) -> Result<()> {
    let column = altering.column(&identifier(column))?.clone();
    let number = column.attribute_number;
    if column.not_null == not_null {
        return Ok(());
    }
    if not_null {
        altering.demand(Demand::NotNull(number));
    } else {
        let is_primary = |kind: &ConstraintKind| {
            matches!(kind,
            ConstraintKind::Key(key) if key.primary && key.columns.contains(&number))
        };
        if altering.new.constraints.iter().any(|constraint| is_primary(&constraint.kind)) {
            let message = format!("column \"{}\" is in a primary key", column.name);
            return Err(refused(SqlState::INVALID_TABLE_DEFINITION, message));
        }
        if matches!(column.default, Some(ColumnDefault::Identity { .. })) {
            let (name, relation) = (&column.name, &altering.new.name.name);
            let message = format!("column \"{name}\" of relation \"{relation}\" is an identity column");
            return Err(refused(SqlState::SYNTAX_ERROR, message));
        }
    }
    altering.column_mut(&column.name)?.not_null = not_null;
    Ok(())
}
