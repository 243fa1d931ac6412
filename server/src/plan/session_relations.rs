//! Relations that show what a session has: `pg_prepared_statements`, `pg_cursors`.

use std::fmt::Debug;
use std::sync::{Arc, Weak};

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, ListBuilder, RecordBatch, StringViewArray, TimestampMicrosecondArray,
    UInt32Builder,
};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::TableSource;
use pg::Type;
use pg::types::{BOOL, INT8, REGTYPE, TEXT, TIMESTAMPTZ};

use crate::plan::in_memory::{InMemory, RowSource};
use crate::session::{PreparedStatements, ShownPortals};

/// A column: its name and type, and its values.
type Shown = (&'static str, Type, ArrayRef);

/// The relation of this name, if it is one of them.
pub fn find(
    name: &str,
    statements: &Arc<PreparedStatements>,
    portals: &Arc<ShownPortals>,
) -> Option<Arc<dyn TableSource>> {
    match name {
        "pg_prepared_statements" => Some(of_session(statements, pg_prepared_statements)),
        "pg_cursors" => Some(of_session(portals, pg_cursors)),
        _ => None,
    }
}

fn of_session<T>(what: &Arc<T>, columns: fn(&T) -> Vec<Shown>) -> Arc<dyn TableSource>
where
    T: Debug + Default + Send + Sync + 'static,
{
    let fields = columns(&T::default()).into_iter().map(|(name, ty, _)| ty.field(name));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    // A prepared statement that reads this is one of those that are shown.
    let what = Arc::downgrade(what);
    provider_as_source(Arc::new(InMemory(OfSession { what, columns, schema })))
}

/// Rows that are made when they are read.
#[derive(Debug)]
struct OfSession<T> {
    what: Weak<T>,
    columns: fn(&T) -> Vec<Shown>,
    schema: SchemaRef,
}

impl<T: Debug + Send + Sync + 'static> RowSource for OfSession<T> {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn rows(&self) -> Result<Vec<RecordBatch>> {
        let Some(what) = self.what.upgrade() else { return Ok(Vec::new()) };
        let columns = (self.columns)(&what).into_iter().zip(self.schema.fields());
        let columns = columns.map(|((_, _, values), field)| cast(&values, field.data_type()));
        let columns = columns.collect::<Result<_, _>>().map_err(DataFusionError::from)?;
        Ok(vec![RecordBatch::try_new(self.schema.clone(), columns)?])
    }
}

fn pg_prepared_statements(statements: &PreparedStatements) -> Vec<Shown> {
    let named = statements.named();
    let mut types = ListBuilder::new(UInt32Builder::new());
    for (_, statement) in &named {
        types.append_value(statement.prepared.parameter_types.iter().map(|oid| Some(*oid)));
    }
    let executions = named.iter().map(|(_, statement)| statement.prepared.executions());
    vec![
        text("name", named.iter().map(|(name, _)| name.as_str())),
        text("statement", named.iter().map(|(_, statement)| statement.prepared.text())),
        time("prepare_time", named.iter().map(|(_, statement)| statement.prepared_us)),
        ("parameter_types", regtypes(), Arc::new(types.finish())),
        flag("from_sql", named.iter().map(|(_, statement)| statement.from_sql)),
        // A plan is made once, for any values.
        number("generic_plans", executions),
        number("custom_plans", named.iter().map(|_| 0)),
    ]
}

fn pg_cursors(portals: &ShownPortals) -> Vec<Shown> {
    let portals = portals.all();
    vec![
        text("name", portals.iter().map(|(name, _)| name.as_str())),
        text("statement", portals.iter().map(|(_, portal)| portal.prepared.text())),
        flag("is_holdable", portals.iter().map(|(_, portal)| portal.is_holdable)),
        flag("is_binary", portals.iter().map(|(_, portal)| portal.is_binary)),
        flag("is_scrollable", portals.iter().map(|(_, portal)| portal.is_scrollable)),
        time("creation_time", portals.iter().map(|(_, portal)| portal.created_us)),
    ]
}

fn regtypes() -> Type {
    let regtype = Type::of(REGTYPE);
    Type::array_of(&regtype).unwrap_or(regtype)
}

fn text<'a>(name: &'static str, values: impl Iterator<Item = &'a str>) -> Shown {
    (name, Type::of(TEXT), Arc::new(StringViewArray::from_iter_values(values)))
}

fn time(name: &'static str, values: impl Iterator<Item = i64>) -> Shown {
    let values = TimestampMicrosecondArray::from_iter_values(values);
    (name, Type::of(TIMESTAMPTZ), Arc::new(values.with_timezone("UTC")))
}

fn flag(name: &'static str, values: impl Iterator<Item = bool>) -> Shown {
    (name, Type::of(BOOL), Arc::new(values.map(Some).collect::<BooleanArray>()))
}

fn number(name: &'static str, values: impl Iterator<Item = i64>) -> Shown {
    (name, Type::of(INT8), Arc::new(Int64Array::from_iter_values(values)))
}
