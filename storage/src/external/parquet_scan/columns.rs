//! What a scan can be asked for: columns of the table, and fields of those that are structs.

use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;

use super::super::field_access::is_field;

/// Columns and fields that a scan has been asked for so far. They keep their places.
#[derive(Debug, Clone)]
pub(super) struct ScanColumns {
    /// On the columns of the table: one of them, or a field of one.
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
}

impl ScanColumns {
    /// The columns of a table.
    pub fn new(table: &Schema) -> Self {
        let column = |(place, field): (usize, &FieldRef)| Arc::new(Column::new(field.name(), place)) as _;
        let exprs = table.fields().iter().enumerate().map(column).collect();
        ScanColumns { exprs, schema: Arc::new(Schema::new(table.fields().clone())) }
    }

    /// Adds columns that are no columns of the table, with what stands for them; answers the place of the first one.
    pub fn add<const N: usize>(&mut self, new: [(Field, Arc<dyn PhysicalExpr>); N]) -> usize {
        let (fields, exprs): (Vec<_>, Vec<_>) = new.into_iter().map(|(field, expr)| (Arc::new(field), expr)).unzip();
        let fields = self.schema.fields().iter().cloned().chain(fields);
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        self.exprs.extend(exprs);
        self.exprs.len() - N
    }

    /// What a place stands for, on the columns of the table.
    pub fn expr(&self, place: usize) -> &Arc<dyn PhysicalExpr> {
        &self.exprs[place]
    }

    /// The columns and fields, by their places.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The place of an expression on what a scan answers, which stands for `columns`; `None` if it is more than a column or a
    /// field of one.
    pub fn place_of(&mut self, expr: &Arc<dyn PhysicalExpr>, columns: &[usize]) -> Result<Option<usize>> {
        let answered = expr.downcast_ref::<Column>().map(Column::index);
        if let Some(answered) = answered {
            return Ok(columns.get(answered).copied());
        }
        if !is_field(expr) {
            return Ok(None);
        }
        let expr = self.on_table(expr.clone(), |index| columns.get(index).copied())?;
        self.place(expr).map(Some)
    }

    /// A condition on what a scan answers, as one on its columns and fields.
    pub fn condition(&mut self, filter: &Arc<dyn PhysicalExpr>, columns: &[usize]) -> Result<Arc<dyn PhysicalExpr>> {
        let moved = |node: Arc<dyn PhysicalExpr>| match self.place_of(&node, columns)? {
            Some(place) => {
                let column = Column::new(self.schema.field(place).name(), place);
                Ok(Transformed::new(Arc::new(column) as Arc<dyn PhysicalExpr>, true, TreeNodeRecursion::Jump))
            }
            None => Ok(Transformed::no(node)),
        };
        filter.clone().transform_down(moved).data()
    }

    /// A condition on columns and fields of the scan, as one on columns of the table.
    pub fn on_columns_of_table(&self, condition: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        self.on_table(condition, Some)
    }

    fn on_table(
        &self,
        expr: Arc<dyn PhysicalExpr>,
        place: impl Fn(usize) -> Option<usize>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let moved = |node: Arc<dyn PhysicalExpr>| {
            let Some(column) = node.downcast_ref::<Column>() else { return Ok(Transformed::no(node)) };
            let expr = place(column.index()).and_then(|place| self.exprs.get(place)).cloned();
            let expr = expr.ok_or_else(|| DataFusionError::Internal(format!("{column} is no column of the scan")))?;
            // What is put in place is about the table already.
            Ok(Transformed::new(expr, true, TreeNodeRecursion::Jump))
        };
        expr.transform_down(moved).data()
    }

    fn place(&mut self, expr: Arc<dyn PhysicalExpr>) -> Result<usize> {
        if let Some(place) = self.exprs.iter().position(|known| known.eq(&expr)) {
            return Ok(place);
        }
        let field = expr.return_field(&self.schema)?;
        let field = Field::new(expr.to_string(), field.data_type().clone(), true);
        let fields = self.schema.fields().iter().cloned().chain([Arc::new(field)]);
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        self.exprs.push(expr);
        Ok(self.exprs.len() - 1)
    }
}
