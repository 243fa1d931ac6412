//! A file's column, read as the declared type.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{FieldRef, Schema};
use catalog::SqlType;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;

use super::coercion::{Coercion, Misfit};
use crate::error::Error;

/// A file's column, read as the declared type. The engine knows nothing about it, so it neither compares it with the
/// file's statistics nor looks through it: that is right for every rule. Where a comparison can be had,
/// [`by_name`](super::by_name) writes it in another way.
#[derive(Debug, Clone)]
pub(super) struct CoercedColumn {
    /// The column in the file.
    pub column: Arc<dyn PhysicalExpr>,
    /// What becomes of it.
    pub target: Arc<Target>,
}

/// What a file's column becomes, and what an error about it says.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    /// How.
    pub coercion: Coercion,
    /// The declared column, in the engine's terms.
    pub field: FieldRef,
    /// Its declared type.
    pub sql_type: SqlType,
    /// The file.
    pub path: String,
}

impl CoercedColumn {
    fn coerce(&self, array: &ArrayRef) -> Result<ArrayRef, Error> {
        let Target { coercion, field, sql_type, path } = self.target.as_ref();
        let column = || field.name().clone();
        coercion.apply(array, field.data_type()).map_err(|misfit| match misfit {
            Misfit::OutOfRange => {
                Error::ValueOutOfRange { column: column(), path: path.clone(), declared_type: sql_type.to_string() }
            }
            Misfit::NotRectangular => Error::ArrayNotRectangular { column: column(), path: path.clone() },
            Misfit::NotUtf8 => {
                let reason = format!("column \"{}\" holds a text that is not UTF-8", column());
                Error::Corrupted { path: path.clone(), reason }
            }
        })
    }
}

impl PhysicalExpr for CoercedColumn {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        Ok(match self.column.evaluate(batch)? {
            ColumnarValue::Array(array) => ColumnarValue::Array(self.coerce(&array)?),
            ColumnarValue::Scalar(scalar) => {
                let coerced = self.coerce(&scalar.to_array()?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&coerced, 0)?)
            }
        })
    }

    fn return_field(&self, _input_schema: &Schema) -> Result<FieldRef> {
        Ok(self.target.field.clone())
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.column]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let column = children.pop().unwrap_or_else(|| self.column.clone());
        Ok(Arc::new(CoercedColumn { column, target: self.target.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.column.fmt_sql(f)
    }
}

impl fmt::Display for CoercedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.column, self.target.sql_type)
    }
}

impl PartialEq for CoercedColumn {
    fn eq(&self, other: &Self) -> bool {
        self.column.eq(&other.column) && self.target == other.target
    }
}

impl Eq for CoercedColumn {}

impl Hash for CoercedColumn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.column.hash(state);
        self.target.hash(state);
    }
}
