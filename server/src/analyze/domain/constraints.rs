//! What the values of a type have to fulfil, and whether those of a column do.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, StructArray};
use arrow::compute::{filter, is_not_null};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::physical_expr::PhysicalExpr;
use pg::error::{PgError, Result, Subject};
use pg::sqlstate::SqlState;

/// What the values of a type have to fulfil.
#[derive(Debug)]
pub enum Constraints {
    /// Those of a domain.
    Domain {
        /// How messages name it.
        name: String,
        /// Whether NULL is refused.
        not_null: bool,
        /// Its conditions, in the order in which they are asked.
        checks: Vec<Check>,
        /// What the values that it narrows have to fulfil within.
        inside: Option<Box<Constraints>>,
    },
    /// Those of arrays: what the elements have to fulfil.
    Elements(Box<Constraints>),
    /// Those of records: what each field has to fulfil.
    Fields(Vec<Option<Constraints>>),
}

/// A condition with its name.
#[derive(Debug)]
pub struct Check {
    /// The name of the constraint.
    pub name: String,
    /// The condition, over a batch of one column.
    pub condition: Arc<dyn PhysicalExpr>,
}

/// The first row that does not fulfil something, and the error.
type Violation = Option<(usize, PgError)>;

impl Constraints {
    /// Whether all values fulfil them.
    ///
    /// # Errors
    /// 23514 or 23502 for the first value that does not; whatever goes wrong in a condition.
    pub fn check(&self, values: &ArrayRef) -> Result<()> {
        match self.violation(values)? {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// The first row whose value does not fulfil them.
    ///
    /// # Errors
    /// Something goes wrong in a condition.
    pub fn violation(&self, values: &ArrayRef) -> Result<Violation> {
        match self {
            Constraints::Domain { name, not_null, checks, inside } => {
                let mut first = match inside {
                    Some(inside) => inside.violation(values)?,
                    None => None,
                };
                if *not_null {
                    let nulls = values.logical_nulls();
                    let null = nulls.and_then(|nulls| (0..nulls.len()).find(|row| nulls.is_null(*row)));
                    let message = format!("domain {name} does not allow null values");
                    let error = || PgError::new(SqlState::NOT_NULL_VIOLATION, message);
                    keep_first(&mut first, null.map(|row| (row, error())));
                }
                for check in checks {
                    keep_first(&mut first, check.violation(values, name)?);
                }
                Ok(first)
            }
            Constraints::Elements(inside) => elements_violation(inside, values),
            Constraints::Fields(fields) => fields_violation(fields, values),
        }
    }
}

/// Of two violations in one row, the one that is found first.
fn keep_first(first: &mut Violation, other: Violation) {
    if let Some((row, error)) = other
        && first.as_ref().is_none_or(|(known, _)| row < *known)
    {
        *first = Some((row, error));
    }
}

impl Check {
    fn violation(&self, values: &ArrayRef, domain: &str) -> Result<Violation> {
        let field = Field::new("value", values.data_type().clone(), true);
        let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![values.clone()])?;
        let fulfilled = self.condition.evaluate(&batch)?.into_array(values.len())?;
        let fulfilled = fulfilled.as_boolean_opt().ok_or_else(|| PgError::internal("a condition is no boolean"))?;
        // NULL is no violation.
        let failed = (0..fulfilled.len()).find(|row| fulfilled.is_valid(*row) && !fulfilled.value(*row));
        Ok(failed.map(|row| {
            let message = format!("value for domain {domain} violates check constraint \"{}\"", self.name);
            let subject = Subject { constraint: Some(self.name.clone()), ..Subject::default() };
            (row, PgError::new(SqlState::CHECK_VIOLATION, message).about(subject))
        }))
    }
}

/// Rows are those of the arrays, however deep the elements lie.
fn elements_violation(inside: &Constraints, values: &ArrayRef) -> Result<Violation> {
    let Some(lists) = values.as_any().downcast_ref::<ListArray>() else { return Ok(None) };
    let offsets = lists.value_offsets();
    let (start, end) = match (offsets.first(), offsets.last()) {
        (Some(start), Some(end)) => (*start as usize, *end as usize),
        _ => return Ok(None),
    };
    let elements = lists.values().slice(start, end - start);
    let found = match elements.data_type() {
        DataType::List(_) => elements_violation(inside, &elements)?,
        _ => inside.violation(&elements)?,
    };
    Ok(found.map(|(element, error)| {
        let row = offsets.partition_point(|offset| *offset as usize <= start + element).saturating_sub(1);
        (row, error)
    }))
}

/// A record that is NULL has no fields that could violate anything.
fn fields_violation(fields: &[Option<Constraints>], values: &ArrayRef) -> Result<Violation> {
    let Some(records) = values.as_any().downcast_ref::<StructArray>() else { return Ok(None) };
    let valid: BooleanArray = is_not_null(values)?;
    let rows: Vec<usize> = (0..records.len()).filter(|row| valid.value(*row)).collect();
    let mut first = None;
    for (constraints, column) in fields.iter().zip(records.columns()) {
        let Some(constraints) = constraints else { continue };
        let found = constraints.violation(&filter(column, &valid)?)?;
        keep_first(&mut first, found.map(|(place, error)| (rows.get(place).copied().unwrap_or(place), error)));
    }
    Ok(first)
}
