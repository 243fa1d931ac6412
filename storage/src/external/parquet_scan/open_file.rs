//! A file that a scan reads: where its columns are in it, and which of its row groups may have rows that are wanted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef, TimeUnit};
use catalog::ExternalTable;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{Int96Coercer, apply_file_schema_type_coercions};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::simplifier::PhysicalExprSimplifier;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_adapter::{
    PhysicalExprAdapter, PhysicalExprAdapterFactory, replace_columns_with_literals,
};
use datafusion::scalar::ScalarValue;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::super::by_name::ByName;
use super::super::nested;
use super::super::pinned_file::PinnedFile;
use super::leaves;
use super::scanned::Scanned;
use crate::error::Error;

/// A file, and where the columns of a scan are in it.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub file: Arc<PinnedFile>,
    pub metadata: ArrowReaderMetadata,
    /// Its place among the files of the scan.
    pub place: usize,
    /// By the places of the scan's columns; those that are not needed are not there.
    columns: BTreeMap<usize, InFile>,
}

/// A column of a scan in a file.
#[derive(Debug)]
pub(super) enum InFile {
    /// All rows have the same value: that of a partition, of the file, or NULL where the file lacks the column.
    Constant(ScalarValue),
    Values(FileValues),
}

/// Values that are made of those of a column of the file.
#[derive(Debug)]
pub(super) struct FileValues {
    /// The place of the file's column.
    root: usize,
    /// On that column alone.
    expr: Arc<dyn PhysicalExpr>,
    /// The leaves of it that are needed.
    pub leaves: Vec<usize>,
    /// What the values are called in the cache.
    pub name: Arc<str>,
}

/// The values of columns whose values are the same for all rows of a file, by their names.
pub(super) type Constants = HashMap<String, ScalarValue>;

/// The values of a file's columns that are constant in it.
pub(super) fn constants(scanned: &Scanned, file: &PartitionedFile) -> Constants {
    let names = scanned.columns_of_files.fields().iter().map(|field| field.name().clone());
    names.zip(file.partition_values.iter().cloned()).collect()
}

/// A condition with the values of a file's constant columns in it.
pub(super) fn in_file(
    condition: Arc<dyn PhysicalExpr>,
    constants: &Constants,
    schema: &Schema,
) -> Result<Arc<dyn PhysicalExpr>> {
    let condition = replace_columns_with_literals(condition, constants)?;
    PhysicalExprSimplifier::new(schema).simplify(condition)
}

/// Whether a condition holds for no row, as it stands.
pub(super) fn is_false(condition: &Arc<dyn PhysicalExpr>) -> bool {
    let literal = condition.downcast_ref::<Literal>();
    literal.is_some_and(|literal| matches!(literal.value(), ScalarValue::Boolean(Some(false) | None)))
}

impl OpenFile {
    /// The file with this footer.
    ///
    /// # Errors
    /// A column that is needed cannot be read as what it was declared.
    pub fn new(
        scanned: &Scanned,
        file: Arc<PinnedFile>,
        footer: Arc<ParquetMetaData>,
        constants: &Constants,
    ) -> Result<Self> {
        let metadata = reader_metadata(footer, &scanned.file_schema)?;
        let mut open = OpenFile { file, metadata, place: 0, columns: BTreeMap::new() };
        if scanned.is_load {
            open.check_columns(&scanned.table)?;
        }
        let adapter = open.adapter(scanned)?;
        for place in scanned.needed() {
            let expr = in_file(scanned.columns.expr(place).clone(), constants, &scanned.table_schema)?;
            let in_file = match expr.downcast_ref::<Literal>() {
                Some(constant) => InFile::Constant(constant.value().clone()),
                None => open.values(&adapter.rewrite(expr)?)?,
            };
            open.columns.insert(place, in_file);
        }
        Ok(open)
    }

    /// What rewrites expressions on columns of the table into such on columns of the file.
    pub fn adapter(&self, scanned: &Scanned) -> Result<Arc<dyn PhysicalExprAdapter>> {
        ByName::new(&scanned.table.columns).create(scanned.file_schema.clone(), self.schema().clone())
    }

    /// The columns of the file.
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// That the file has a column of a table that is loaded: of another table's file all values would be NULL.
    fn check_columns(&self, table: &ExternalTable) -> Result<()> {
        let fields = self.schema().fields();
        let is_there = |column: &catalog::Column| !matches!(nested::named(fields, &column.name), Ok(None));
        match table.columns.iter().any(is_there) {
            true => Ok(()),
            false => Err(Error::ColumnsMissing { path: self.file.url().to_owned() }.into()),
        }
    }

    /// A column of the scan.
    pub fn column(&self, place: usize) -> Result<&InFile> {
        let unknown = || DataFusionError::Internal("a column is not one that the scan needs".to_owned());
        self.columns.get(&place).ok_or_else(unknown)
    }

    /// What the file says of a row group.
    pub fn row_group(&self, group: usize) -> &RowGroupMetaData {
        self.metadata.metadata().row_group(group)
    }

    /// The rows of a row group.
    pub fn rows(&self, group: usize) -> usize {
        usize::try_from(self.row_group(group).num_rows()).unwrap_or(0)
    }

    fn values(&self, expr: &Arc<dyn PhysicalExpr>) -> Result<InFile> {
        let schema = self.schema();
        let columns = collect_columns(expr);
        let mut columns = columns.iter().map(Column::index);
        let (root, None) = (columns.next(), columns.next()) else {
            return Err(DataFusionError::Internal(format!("{expr} is on more than one column of a file")));
        };
        let Some(root) = root else {
            return match expr.evaluate(&RecordBatch::new_empty(Arc::new(Schema::empty())))? {
                ColumnarValue::Scalar(value) => Ok(InFile::Constant(value)),
                ColumnarValue::Array(_) => Err(DataFusionError::Internal(format!("{expr} is no constant"))),
            };
        };
        let parquet = self.metadata.parquet_schema();
        let leaves = leaves::needed(expr, self.parquet_root(root), schema.field(root).data_type(), parquet);
        let name = format!("{expr}: {}", expr.data_type(schema)?).into();
        let alone = |node: Arc<dyn PhysicalExpr>| match node.downcast_ref::<Column>() {
            Some(column) => Ok(Transformed::yes(Arc::new(Column::new(column.name(), 0)) as Arc<dyn PhysicalExpr>)),
            None => Ok(Transformed::no(node)),
        };
        let expr = expr.clone().transform_down(alone).data()?;
        Ok(InFile::Values(FileValues { root, expr, leaves, name }))
    }

    /// The place of a column among those of Parquet, of which some have no type here.
    fn parquet_root(&self, root: usize) -> usize {
        let fields = self.metadata.parquet_schema().root_schema().get_fields();
        if fields.len() == self.schema().fields().len() {
            return root;
        }
        let name = self.schema().field(root).name();
        fields.iter().position(|field| field.name() == name).unwrap_or(root)
    }
}

impl FileValues {
    /// The leaves of several columns.
    pub fn mask<'a>(open: &OpenFile, columns: impl IntoIterator<Item = &'a FileValues>) -> ProjectionMask {
        let leaves = columns.into_iter().flat_map(|values| values.leaves.iter().copied());
        ProjectionMask::leaves(open.metadata.parquet_schema(), leaves)
    }

    /// The place of the file's column.
    pub fn root(&self) -> usize {
        self.root
    }

    /// What becomes of its values.
    pub fn expr(&self) -> &Arc<dyn PhysicalExpr> {
        &self.expr
    }

    /// The values, of rows that have been read of the file.
    ///
    /// # Errors
    /// A value cannot be read as the declared type.
    pub fn evaluate(&self, open: &OpenFile, read: &RecordBatch) -> Result<ArrayRef> {
        let name = open.schema().field(self.root).name();
        let column = match read.num_columns() {
            1 => read.column(0),
            _ => read
                .column_by_name(name)
                .ok_or_else(|| DataFusionError::Internal(format!("column {name} of a file has not been read")))?,
        };
        let field =
            open.schema().field(self.root).clone().with_data_type(column.data_type().clone()).with_nullable(true);
        let alone = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column.clone()])?;
        self.expr.evaluate(&alone)?.into_array(read.num_rows())
    }

    /// Bytes that the values of a row group take in memory, about.
    pub fn decoded_bytes(&self, group: &RowGroupMetaData) -> u64 {
        let rows = u64::try_from(group.num_rows()).unwrap_or(0);
        let stored = |leaf: &usize| u64::try_from(group.column(*leaf).uncompressed_size()).unwrap_or(0);
        let decoded = |leaf| rows.saturating_mul(VALUE_BYTES).saturating_add(stored(leaf));
        self.leaves.iter().map(decoded).fold(0, u64::saturating_add)
    }
}

/// Bytes that a value has in memory, about, beside those that it has in the file.
const VALUE_BYTES: u64 = 8;

/// A footer as a reader wants it: texts are views, timestamps of 96 bits microseconds, as nanoseconds would end in the year
/// 2262.
fn reader_metadata(footer: Arc<ParquetMetaData>, declared: &Schema) -> Result<ArrowReaderMetadata> {
    let metadata = ArrowReaderMetadata::try_new(footer, ArrowReaderOptions::new())?;
    let mut schema = apply_file_schema_type_coercions(declared, metadata.schema());
    let current = schema.as_ref().unwrap_or(metadata.schema());
    if let Some(coerced) = Int96Coercer::new(metadata.parquet_schema(), current, &TimeUnit::Microsecond).coerce() {
        schema = Some(coerced);
    }
    Ok(match schema {
        Some(schema) => {
            let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
            ArrowReaderMetadata::try_new(metadata.metadata().clone(), options)?
        }
        None => metadata,
    })
}
