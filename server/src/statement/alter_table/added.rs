//! Columns and constraints that a table gets.

use std::sync::Arc;

use catalog::{CatalogChange, Column, ColumnDefault, HotTable, MissingValue, Sequence};
use pg::sqlstate::SqlState;

use super::changes::Altering;
use super::verify::{Demand, without_position};
use super::{refused, rewrite};
use crate::analyze::rewrite::ColumnSource;
use crate::error::{Error, Result};
use crate::parse::definition::{ColumnConstraintKind, ColumnDefinition, TableConstraint, TableConstraintKind};
use crate::parse::statement::AlterTableAction;
use crate::plan::PlanContext;
use crate::plan::relations::identifier;
use crate::session::Session;
use crate::statement::table_definition::Definition;

/// Columns that a table can have in its life (`MaxHeapAttributeNumber`).
const COLUMN_NUMBER_MAX: i16 = 1600;

/// `ADD COLUMN` and `ADD CONSTRAINT`, all of a statement: a condition may be written before the column that it is about.
pub(super) async fn add(
    session: &mut Session,
    altering: &mut Altering,
    actions: &[&AlterTableAction],
    text: &str,
) -> Result<()> {
    let before = altering.new.clone();
    let mut notices = Vec::new();
    let defined = {
        let context = PlanContext::new(session, altering.snapshot.clone());
        let _entered = context.names().enter();
        let definition = Definition::new(&context, &session.server, text, before.clone());
        defined(definition, actions, &mut notices)
    };
    notices.into_iter().for_each(|notice| session.notice(notice));
    let (table, sequences) = defined?;
    altering.new = table;
    let sequences: Vec<_> = sequences.into_iter().map(Arc::new).collect();
    altering.before.extend(sequences.iter().map(|it| CatalogChange::CreateSequence(it.as_ref().clone())));
    demand(altering, &before);
    for place in before.columns.len()..altering.new.columns.len() {
        let value = added_column(session, altering, place, &sequences).await?;
        altering.new.columns[place].missing = value;
    }
    altering.sequences.extend(sequences);
    Ok(())
}

/// The definition with all that is added, and the sequences of its columns.
fn defined(
    mut definition: Definition<'_>,
    actions: &[&AlterTableAction],
    notices: &mut Vec<String>,
) -> Result<(HotTable, Vec<Sequence>)> {
    for action in actions {
        match action {
            AlterTableAction::AddColumn { if_not_exists, column } => {
                notices.extend(add_column(&mut definition, column, *if_not_exists)?);
            }
            AlterTableAction::AddConstraint { constraint, is_valid } => {
                check_constraint_name(&definition.table, constraint)?;
                if *is_valid {
                    definition.add_constraint(constraint);
                }
            }
            _ => {}
        }
    }
    definition.settle().map_err(without_position)?;
    for action in actions {
        let AlterTableAction::AddConstraint { constraint, is_valid: false } = action else { continue };
        let valid = definition.table.constraints.len();
        definition.add_constraint(constraint);
        definition.settle().map_err(without_position)?;
        definition.table.constraints.iter_mut().skip(valid).for_each(|constraint| constraint.is_valid = false);
    }
    Ok((definition.table, definition.sequences))
}

/// Adds a column; the notice when it is there already.
fn add_column(
    definition: &mut Definition<'_>,
    column: &ColumnDefinition,
    if_not_exists: bool,
) -> Result<Option<String>> {
    let (name, table) = (identifier(&column.name), &definition.table);
    if table.columns.iter().any(|known| known.name == name) {
        let message = format!("column \"{name}\" of relation \"{}\" already exists", table.name.name);
        return match if_not_exists {
            true => Ok(Some(format!("{message}, skipping"))),
            false => Err(refused(SqlState::DUPLICATE_COLUMN, message)),
        };
    }
    if table.last_attribute_number >= COLUMN_NUMBER_MAX {
        let message = format!("tables can have at most {COLUMN_NUMBER_MAX} columns");
        return Err(refused(SqlState::TOO_MANY_COLUMNS, message));
    }
    let is_key =
        |kind: &ColumnConstraintKind| matches!(kind, ColumnConstraintKind::SortKey | ColumnConstraintKind::DistKey);
    if column.constraints.iter().any(|constraint| is_key(&constraint.kind)) {
        return Err(Error::not_supported("ADD COLUMN … SORTKEY or DISTKEY"));
    }
    definition.add_column(column)?;
    Ok(None)
}

/// A key's name is one of a relation, which is looked at elsewhere.
fn check_constraint_name(table: &HotTable, constraint: &TableConstraint) -> Result<()> {
    let name = constraint.name.as_ref().filter(|_| !matches!(constraint.kind, TableConstraintKind::Key(..)));
    match name.map(identifier).filter(|name| table.constraint(name).is_some()) {
        Some(name) => {
            let message = format!("constraint \"{name}\" for relation \"{}\" already exists", table.name.name);
            Err(refused(SqlState::DUPLICATE_OBJECT, message))
        }
        None => Ok(()),
    }
}

/// What the rows have to fulfil that the table has not asked of them before.
fn demand(altering: &mut Altering, before: &HotTable) {
    let constraints = altering.new.constraints.iter().filter(|it| it.is_valid && before.constraint(&it.name).is_none());
    let demands: Vec<_> = constraints.map(|constraint| Demand::Constraint(constraint.name.clone())).collect();
    // A primary key's columns get NOT NULL.
    let newly = |column: &&Column| {
        column.not_null && before.column(column.attribute_number).is_some_and(|known| !known.not_null)
    };
    let numbers: Vec<_> = altering.new.columns.iter().filter(newly).map(|column| column.attribute_number).collect();
    numbers.into_iter().for_each(|number| altering.demand(Demand::NotNull(number)));
    demands.into_iter().for_each(|demand| altering.demand(demand));
}

/// Says where the values of a column come from that is added; the value that the rows have which are there, when it is one and
/// the same.
async fn added_column(
    session: &mut Session,
    altering: &mut Altering,
    place: usize,
    sequences: &[Arc<Sequence>],
) -> Result<Option<MissingValue>> {
    let column = altering.new.columns[place].clone();
    let number = column.attribute_number;
    let has_rows = altering.snapshot.rows(altering.old.oid).rows() > 0;
    let is_counted = sequences.iter().any(|sequence| sequence.owner == Some((altering.old.oid, number)));
    if is_counted || matches!(column.default, Some(ColumnDefault::Generated(_))) {
        altering.sources.insert(number, ColumnSource::Filled);
        altering.rewrites |= has_rows;
        return Ok(None);
    }
    altering.sources.insert(number, ColumnSource::Added);
    // A domain that refuses NULL is no matter as long as there are no rows.
    let mut missing = None;
    if column.default.is_some() || has_rows {
        match rewrite::added_value(session, &altering.snapshot, &column).await? {
            Some(value) => missing = MissingValue::new(&value),
            None => altering.rewrites = true,
        }
    }
    if column.not_null && missing.is_none() {
        altering.demand(Demand::NotNull(number));
    }
    Ok(missing)
}
