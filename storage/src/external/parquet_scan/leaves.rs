//! Which leaves of a file's column an expression needs: a field of a struct is read without the others.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::functions::core::getfield::GetFieldFunc;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use parquet::schema::types::SchemaDescriptor;

use super::super::field_access::path_of;

/// The leaves of a Parquet file that an expression on one of its columns needs, by their places. The column is the one at
/// `parquet_root` of those of Parquet.
pub(super) fn needed(
    expr: &Arc<dyn PhysicalExpr>,
    parquet_root: usize,
    data_type: &DataType,
    parquet: &SchemaDescriptor,
) -> Vec<usize> {
    let leaves: Vec<usize> =
        (0..parquet.num_columns()).filter(|leaf| parquet.get_column_root_idx(*leaf) == parquet_root).collect();
    let mut marks = Marks { marked: vec![false; leaves.len()], next: 0 };
    marks.visit(expr, data_type);
    // What one does not understand is read as a whole.
    if count(data_type) != leaves.len() || !marks.marked.contains(&true) {
        return leaves;
    }
    leaves.into_iter().zip(marks.marked).filter(|(_, is_needed)| *is_needed).map(|(leaf, _)| leaf).collect()
}

/// Leaves of one column, in their order.
struct Marks {
    marked: Vec<bool>,
    next: usize,
}

impl Marks {
    fn visit(&mut self, expr: &Arc<dyn PhysicalExpr>, data_type: &DataType) {
        self.next = 0;
        if let Some(call) = ScalarFunctionExpr::try_downcast_func::<GetFieldFunc>(expr.as_ref())
            && let Some((_, path)) = path_of(call)
        {
            self.mark_field(data_type, &path);
        } else if let Some(cast) = expr.downcast_ref::<CastExpr>()
            && cast.expr().is::<Column>()
        {
            self.mark_part(data_type, cast.cast_type());
        } else if expr.is::<Column>() {
            self.mark_all(data_type);
        } else {
            expr.children().into_iter().for_each(|child| self.visit(child, data_type));
        }
    }

    /// The field that a path of names leads to.
    fn mark_field(&mut self, data_type: &DataType, path: &[String]) {
        let (Some((name, rest)), DataType::Struct(fields)) = (path.split_first(), data_type) else {
            return self.mark_all(data_type);
        };
        for field in fields {
            match field.name() == name {
                true => self.mark_field(field.data_type(), rest),
                false => self.next += count(field.data_type()),
            }
        }
    }

    /// Those of a type's leaves that a narrower type has.
    fn mark_part(&mut self, data_type: &DataType, part: &DataType) {
        match (data_type, part) {
            (DataType::Struct(fields), DataType::Struct(parts)) => {
                for field in fields {
                    match parts.iter().find(|part| part.name() == field.name()) {
                        Some(part) => self.mark_part(field.data_type(), part.data_type()),
                        None => self.next += count(field.data_type()),
                    }
                }
            }
            _ => match (item(data_type), item(part)) {
                (Some(item), Some(part)) => self.mark_part(item.data_type(), part.data_type()),
                _ => self.mark_all(data_type),
            },
        }
    }

    fn mark_all(&mut self, data_type: &DataType) {
        let end = self.next + count(data_type);
        for leaf in self.next..end {
            if let Some(marked) = self.marked.get_mut(leaf) {
                *marked = true;
            }
        }
        self.next = end;
    }
}

/// What lists and maps are made of.
fn item(data_type: &DataType) -> Option<&FieldRef> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => Some(item),
        _ => None,
    }
}

/// How many leaves a type has.
fn count(data_type: &DataType) -> usize {
    match (data_type, item(data_type)) {
        (DataType::Struct(fields), _) => fields.iter().map(|field| count(field.data_type())).sum(),
        (_, Some(item)) => count(item.data_type()),
        _ => 1,
    }
}
