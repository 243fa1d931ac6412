//! The flights, external: Parquet files partitioned by month.

use std::sync::Arc;

use arrow::array::{AsArray, Int16Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::Int16Type;
use bytes::Bytes;
use datafusion::error::DataFusionError;
use object_store::ObjectStoreExt;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::demo::{Demo, parquet_error, write_file};
use crate::error::Result;

static FLIGHTS: &[u8] = include_bytes!("data/flights.parquet");

/// Columns of the files; the month is the partition's.
const COLUMNS: &str = "year smallint, day smallint, dep_time smallint, sched_dep_time smallint, dep_delay smallint, \
    arr_time smallint, sched_arr_time smallint, arr_delay smallint, carrier varchar(2), flight integer, \
    tailnum varchar(6), origin varchar(3), dest varchar(3), air_time smallint, distance integer, hour smallint, \
    minute smallint, time_hour timestamp";
const MONTH: &str = "month";

/// Writes the files, and registers each month's folder as a partition.
pub(super) async fn load(demo: &mut Demo) -> Result<()> {
    let flights = read_flights()?;
    let lake = demo.lake_url.clone();
    let mut partitions = String::new();
    for month in 1..=12 {
        write_month(demo, month, &of_month(&flights, month)?).await?;
        partitions += &format!(" PARTITION (month={month}) LOCATION '{lake}month={month}/'");
    }
    demo.run(&format!(
        "CREATE EXTERNAL TABLE demo_lake.flights ({COLUMNS}) PARTITIONED BY (month smallint)
         STORED AS PARQUET LOCATION '{lake}';
         ALTER TABLE demo_lake.flights ADD{partitions}"
    ))
    .await?;
    println!("external table: demo_lake.flights, 12 partitions of Parquet below {lake}");
    Ok(())
}

fn read_flights() -> Result<Vec<RecordBatch>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from_static(FLIGHTS)).map_err(parquet_error)?;
    let reader = reader.build().map_err(parquet_error)?;
    Ok(reader.collect::<Result<_, _>>().map_err(DataFusionError::from)?)
}

/// The flights of a month, without the column that says so.
fn of_month(flights: &[RecordBatch], month: i16) -> Result<Vec<RecordBatch>, DataFusionError> {
    let mut rows = Vec::new();
    for batch in flights {
        let column = batch.schema().index_of(MONTH)?;
        let months = batch.column(column).as_primitive::<Int16Type>();
        let mut matching = filter_record_batch(batch, &eq(months, &Int16Array::new_scalar(month))?)?;
        matching.remove_column(column);
        if matching.num_rows() > 0 {
            rows.push(matching);
        }
    }
    Ok(rows)
}

async fn write_month(demo: &Demo, month: i16, rows: &[RecordBatch]) -> Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&first.schema()), Some(properties));
    let mut writer = writer.map_err(parquet_error)?;
    for batch in rows {
        writer.write(batch).map_err(parquet_error)?;
    }
    let bytes = writer.into_inner().map_err(parquet_error)?;
    if demo.lake_url.starts_with("s3://") {
        let location = format!("{}month={month}/flights.parquet", demo.lake_url);
        let place = demo.session.server.stores.resolve(&location)?;
        let stored = place.store.put(&place.path, bytes.into()).await;
        stored.map_err(|error| storage::Error::from_object_store(&location, error))?;
        return Ok(());
    }
    write_file(&demo.folder.join("flights").join(format!("month={month}")).join("flights.parquet"), &bytes)
}
