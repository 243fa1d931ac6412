//! What the rows of a table have to fulfil before a definition holds that asks for it.

use std::sync::Arc;

use arrow::array::AsArray;
use catalog::constraint::{Check, Key};
use catalog::name::quote_identifier;
use catalog::{CatalogSnapshot, Column, Constraint, ConstraintKind, HotTable};
use pg::PgError;
use pg::sqlstate::SqlState;

use super::rewrite::for_each_batch;
use crate::error::{Error, Result};
use crate::parse;
use crate::plan::{PlanContext, plan_query};
use crate::session::Session;

/// Something that the rows of a table have to fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Demand {
    /// A column has no NULLs, by attribute number.
    NotNull(i16),
    /// The constraint of this name holds.
    Constraint(String),
}

/// Looks whether the rows of a table, in a snapshot in which it is what it is to be, fulfil what is asked of them.
///
/// # Errors
/// 23502, 23514, 23505
pub(super) async fn check_demands(
    session: &mut Session,
    snapshot: Arc<CatalogSnapshot>,
    table: &HotTable,
    demands: &[Demand],
) -> Result<()> {
    for demand in demands {
        match demand {
            Demand::NotNull(number) => {
                let Some(column) = table.column(*number) else { continue };
                let text =
                    format!("SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1", table.name, quote_identifier(&column.name));
                if first_row(session, &snapshot, None, &text).await?.is_some() {
                    return Err(contains_nulls(table, column));
                }
            }
            Demand::Constraint(name) => {
                let Some(constraint) = table.constraint(name) else { continue };
                match &constraint.kind {
                    ConstraintKind::Check(check) => check_rows(session, &snapshot, table, name, check).await?,
                    ConstraintKind::Key(key) => unique_rows(session, &snapshot, table, constraint, key).await?,
                    // Recorded, not enforced.
                    ConstraintKind::ForeignKey(_) => {}
                }
            }
        }
    }
    Ok(())
}

/// `column … of relation … contains null values`
pub(super) fn contains_nulls(table: &HotTable, column: &Column) -> Error {
    let message = format!("column \"{}\" of relation \"{}\" contains null values", column.name, table.name.name);
    PgError::new(SqlState::NOT_NULL_VIOLATION, message).into()
}

async fn check_rows(
    session: &mut Session,
    snapshot: &Arc<CatalogSnapshot>,
    table: &HotTable,
    name: &str,
    check: &Check,
) -> Result<()> {
    let text = format!("SELECT 1 FROM {} WHERE NOT ({}) LIMIT 1", table.name, check.condition.text);
    let path = Some(check.condition.search_path.as_slice());
    if first_row(session, snapshot, path, &text).await?.is_none() {
        return Ok(());
    }
    let message = format!("check constraint \"{name}\" of relation \"{}\" is violated by some row", table.name.name);
    Err(PgError::new(SqlState::CHECK_VIOLATION, message).into())
}

async fn unique_rows(
    session: &mut Session,
    snapshot: &Arc<CatalogSnapshot>,
    table: &HotTable,
    constraint: &Constraint,
    key: &Key,
) -> Result<()> {
    let columns: Vec<_> = key.columns.iter().filter_map(|number| table.column(*number)).collect();
    let names: Vec<_> = columns.iter().map(|column| quote_identifier(&column.name)).collect();
    let (list, texts) = (names.join(", "), names.join("::text, "));
    let known = match key.nulls_not_distinct {
        true => String::new(),
        false => format!("WHERE {} IS NOT NULL", names.join(" IS NOT NULL AND ")),
    };
    let text = format!("SELECT {texts}::text FROM {} {known} GROUP BY {list} HAVING count(*) > 1 LIMIT 1", table.name);
    let Some(values) = first_row(session, snapshot, None, &text).await? else { return Ok(()) };
    let values: Vec<_> = values.into_iter().map(|value| value.unwrap_or_else(|| "null".to_owned())).collect();
    let message = format!("could not create unique index \"{}\"", constraint.name);
    let error = PgError::new(SqlState::UNIQUE_VIOLATION, message);
    Err(error.with_detail(format!("Key ({list})=({}) is duplicated.", values.join(", "))).into())
}

/// The texts in the first row of a query, if it has one.
async fn first_row(
    session: &mut Session,
    snapshot: &Arc<CatalogSnapshot>,
    search_path: Option<&[String]>,
    text: &str,
) -> Result<Option<Vec<Option<String>>>> {
    let context = PlanContext::new(session, snapshot.clone());
    let context = match search_path {
        Some(path) => context.under(path),
        None => context,
    };
    let plan = plan_query(&context, &*parse::query(text)?, text, Vec::new()).map_err(without_position)?.bind(&[])?;
    let mut found = None;
    for_each_batch(session, Arc::new(context), plan, |batch| {
        if found.is_none() && batch.num_rows() > 0 {
            let text = |column: &arrow::array::ArrayRef| {
                let texts = column.as_string_view_opt()?;
                (!arrow::array::Array::is_null(texts, 0)).then(|| texts.value(0).to_owned())
            };
            found = Some(batch.columns().iter().map(text).collect());
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// As PostgreSQL, which tells no place in the conditions of an ALTER TABLE; and where the text is ours, it means nothing to the
/// client.
pub(super) fn without_position(error: Error) -> Error {
    match error {
        Error::Sql { error, .. } => Error::Sql { error, position: None },
        other => other,
    }
}
