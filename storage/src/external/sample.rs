//! What is known of an external table before it is planned: how many rows it has, and the bounds of its columns, from the
//! ends of a few of its files.
//!
//! It is for estimates alone. The files may have changed since; nothing is answered from it.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::Schema;
use catalog::{FileFormat, FileWrites, Oid, TableStatistics};
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::functions_aggregate::min_max::{MaxAccumulator, MinAccumulator};
use datafusion::logical_expr::Accumulator;
use futures::StreamExt;
use futures::future::join_all;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::metadata::ParquetMetaData;
use quick_cache::sync::Cache;

use super::footers::{Footers, TAIL_BYTES_MIN};
use super::parquet_scan::FileReading;
use super::pinned_file::PinnedFile;
use super::provider::{ExternalTableProvider, Part};
use super::statistics;
use crate::object_stores::{Location, object_url};
use crate::scan::report::ReadCounter;

/// Files whose ends are looked at.
const FILES_SAMPLED: usize = 4;
/// Partitions whose files are listed.
const PARTITIONS_SAMPLED: usize = 4;
/// Files that are listed of a table without registered partitions. A table that has more is taken to have so many.
const FILES_LISTED: usize = 2_000;
/// Registered partitions whose values are looked at.
const VALUES_SAMPLED: usize = 20_000;
/// How long a sample is good for, in microseconds.
const AGE_US_MAX: i64 = 10 * 60 * 1_000_000;
/// Tables of which a sample is kept.
const TABLES_MAX: usize = 10_000;

/// Samples of tables, by what tells one from another.
#[derive(Debug)]
pub struct Samples {
    samples: Cache<String, (Arc<Sample>, i64)>,
    /// The bytes that tables have which have been looked at, about, until somebody asks.
    asked_for: Cache<Oid, u64>,
}

impl Default for Samples {
    fn default() -> Self {
        Samples { samples: Cache::new(TABLES_MAX), asked_for: Cache::new(TABLES_MAX) }
    }
}

impl Samples {
    /// A query has asked for a table.
    fn ask_for(&self, table: Oid, sample: &Sample) {
        self.asked_for.insert(table, sample.bytes);
    }

    /// The tables that were looked at since somebody asked last, with the bytes that their files have, about.
    pub fn take_asked_for(&self) -> Vec<(Oid, u64)> {
        let tables: Vec<(Oid, u64)> = self.asked_for.iter().collect();
        for (table, _) in &tables {
            self.asked_for.remove(table);
        }
        tables
    }
}

/// What is known of a table.
#[derive(Debug)]
pub(super) struct Sample {
    /// Of all of its rows.
    pub statistics: Statistics,
    /// Rows of a byte of a file.
    pub rows_per_byte: f64,
    /// The bytes of all files, about.
    pub bytes: u64,
    /// The part of the files' bytes that each column of the files takes, where files tell.
    pub column_parts: Option<Vec<f64>>,
}

impl Sample {
    /// What it says of files of so many bytes in all.
    pub fn of_bytes(&self, bytes: u64) -> Statistics {
        let all = self.statistics.num_rows.get_value().map_or(1.0, |rows| *rows as f64).max(1.0);
        let rows = bytes as f64 * self.rows_per_byte;
        let part = (rows / all).min(1.0);
        let mut statistics = self.statistics.clone();
        statistics.num_rows = Precision::Inexact(rows as usize);
        statistics.total_byte_size = scaled(&statistics.total_byte_size, part);
        for column in &mut statistics.column_statistics {
            column.null_count = scaled(&column.null_count, part);
        }
        statistics
    }
}

fn scaled(count: &Precision<usize>, part: f64) -> Precision<usize> {
    count.get_value().map_or(Precision::Absent, |count| Precision::Inexact((*count as f64 * part) as usize))
}

impl ExternalTableProvider {
    /// What a sample says of files of so many bytes, or of all files, with what ANALYZE has found out.
    pub(super) fn informed(&self, sample: &Sample, bytes: Option<u64>) -> Statistics {
        let mut statistics = bytes.map_or_else(|| sample.statistics.clone(), |bytes| sample.of_bytes(bytes));
        let all_rows = sample.statistics.num_rows.get_value().map_or(0, |rows| *rows as u64);
        let rows = statistics.num_rows.get_value().map_or(0, |rows| *rows);
        for (place, column) in statistics.column_statistics.iter_mut().enumerate() {
            let Some(known) = self.knowledge().and_then(|known| known.column(place).cloned()) else { continue };
            // Values of partitions have just been counted.
            let is_counted = self.partition_values_of(place).is_some();
            if let Some(distinct) = known.distinct_of(all_rows).filter(|_| !is_counted) {
                column.distinct_count = Precision::Inexact((distinct as usize).min(rows));
            }
            if column.null_count == Precision::Absent {
                column.null_count = Precision::Inexact((f64::from(known.null_fraction) * rows as f64) as usize);
            }
        }
        statistics
    }

    /// How many rows files of so many bytes have, about.
    pub(super) fn rows_expected(&self, bytes: u64) -> f64 {
        self.looked_at().map_or(0.0, |sample| sample.rows_per_byte * bytes as f64)
    }

    /// How many values a column has that is one of partitions which are registered.
    pub(super) fn partition_values_of(&self, place: usize) -> Option<usize> {
        let is_of_partition = place >= self.table().columns.len() && self.partition_count() > 0;
        let known = self.looked_at().filter(|_| is_of_partition)?.statistics.column_statistics.get(place)?;
        known.distinct_count.get_value().copied()
    }
}

/// Files of a table.
pub(super) struct SomeFiles {
    pub location: Location,
    pub files: Vec<PartitionedFile>,
}

impl From<(Location, Vec<PartitionedFile>)> for SomeFiles {
    fn from((location, files): (Location, Vec<PartitionedFile>)) -> Self {
        SomeFiles { location, files }
    }
}

/// The bytes of files.
pub(super) fn bytes_of(files: &[SomeFiles]) -> u64 {
    files.iter().flat_map(|some| &some.files).map(|file| file.object_meta.size).sum()
}

impl ExternalTableProvider {
    /// Gets to know the table, unless that was done of late.
    ///
    /// # Errors
    /// Its files cannot be listed, or their ends not be read.
    pub async fn look_at(&self, session: &dyn Session) -> Result<()> {
        let reading = session.config().get_extension::<FileReading>().unwrap_or_default();
        let (key, now_us) = (self.sample_key(), (reading.now_us)());
        let known = reading.samples.samples.get(&key).filter(|(_, at_us)| now_us - at_us < AGE_US_MAX);
        match known {
            Some((sample, _)) => {
                self.set_sample(sample);
                Ok(())
            }
            None => {
                self.look_afresh(session).await?;
                if let Some(sample) = self.looked_at() {
                    reading.samples.ask_for(self.table().oid, sample);
                }
                Ok(())
            }
        }
    }

    /// Gets to know the table as it is now; how many bytes its files have, about.
    ///
    /// # Errors
    /// Its files cannot be listed, or their ends not be read.
    pub(super) async fn look_afresh(&self, session: &dyn Session) -> Result<u64> {
        let reading = session.config().get_extension::<FileReading>().unwrap_or_default();
        let sample = Arc::new(self.sample(session, &reading).await?);
        reading.samples.samples.insert(self.sample_key(), (sample.clone(), (reading.now_us)()));
        let bytes = sample.bytes;
        self.set_sample(sample);
        Ok(bytes)
    }

    async fn sample(&self, session: &dyn Session, reading: &FileReading) -> Result<Sample> {
        let (listed, bytes) = self.some_files(session, PARTITIONS_SAMPLED).await?;
        let footers = self.some_footers(&listed, reading).await;
        let mut sample = match footers.is_empty() {
            true => {
                let mut statistics = statistics::estimate(&self.full_schema(), bytes);
                if let Some(rows_per_byte) = self.analyzed().and_then(TableStatistics::rows_per_byte) {
                    statistics.num_rows = Precision::Inexact((bytes as f64 * rows_per_byte) as usize);
                }
                let rows = statistics.num_rows.get_value().map_or(0.0, |rows| *rows as f64);
                Sample { statistics, rows_per_byte: rows / bytes.max(1) as f64, bytes, column_parts: None }
            }
            false => self.of_footers(&footers, bytes)?,
        };
        self.add_partition_columns(&mut sample.statistics)?;
        Ok(sample)
    }

    /// Some of the table's files, of so many partitions, and the bytes of all of them, about.
    pub(super) async fn some_files(
        &self,
        session: &dyn Session,
        partitions_wanted: usize,
    ) -> Result<(Vec<SomeFiles>, u64)> {
        let registered = self.some_partitions(partitions_wanted);
        if !registered.is_empty() {
            let listed = registered.len();
            let files = self.list_some(session, registered).await?;
            let bytes = bytes_of(&files) * self.partition_count() as u64 / listed as u64;
            return Ok((files, bytes));
        }
        if self.is_discovered() {
            let location = self.own_location()?;
            let writes = session.config().get_extension::<FileWrites>().unwrap_or_default();
            let objects = location.store.list(Some(&location.path)).take(FILES_LISTED);
            let objects: Vec<_> = objects.filter_map(|object| async { object.ok() }).collect().await;
            let shown = objects.into_iter().filter(|object| object.size > 0);
            let shown = shown
                .filter(|object| writes.shows(&location.service, &object_url(&location.store_url, &object.location)));
            let files = vec![SomeFiles { files: shown.map(PartitionedFile::new_from_meta).collect(), location }];
            let bytes = bytes_of(&files);
            return Ok((files, bytes));
        }
        let files = self.all_files(session).await?;
        let files: Vec<_> = files.into_iter().map(|(location, files)| SomeFiles { location, files }).collect();
        let bytes = bytes_of(&files);
        Ok((files, bytes))
    }

    async fn list_some(&self, session: &dyn Session, parts: Vec<Part>) -> Result<Vec<SomeFiles>> {
        let stores = self.files_of(session, parts).await?;
        Ok(stores.into_iter().map(|(location, files)| SomeFiles { location, files }).collect())
    }

    /// The footers of some files, with the files' sizes. Those that cannot be read say nothing.
    async fn some_footers(&self, listed: &[SomeFiles], reading: &FileReading) -> Vec<(Arc<ParquetMetaData>, u64)> {
        if self.table().format != FileFormat::Parquet {
            return Vec::new();
        }
        let files: Vec<_> =
            listed.iter().flat_map(|some| some.files.iter().map(|file| (&some.location, file))).collect();
        let sampled = spread(files.len(), FILES_SAMPLED).map(|place| {
            let (location, file) = files[place];
            let counter = Arc::<ReadCounter>::default();
            let pinned =
                PinnedFile::new(location.store.clone(), &location.store_url, file.object_meta.clone(), counter);
            let pinned = Arc::new(pinned.at((reading.now_us)()).kept_in(reading.pages.clone()));
            async move { footer(&reading.footers, pinned).await }
        });
        join_all(sampled).await.into_iter().flatten().collect()
    }

    fn of_footers(&self, footers: &[(Arc<ParquetMetaData>, u64)], bytes: u64) -> Result<Sample> {
        let schema = self.full_schema();
        let sampled_rows: i64 = footers.iter().map(|(footer, _)| footer.file_metadata().num_rows()).sum();
        let sampled_bytes: u64 = footers.iter().map(|(_, bytes)| bytes).sum();
        let rows_per_byte = sampled_rows.max(0) as f64 / sampled_bytes.max(1) as f64;
        let rows = bytes as f64 * rows_per_byte;
        let mut statistics = statistics::estimate(&schema, bytes);
        statistics.num_rows = Precision::Inexact(rows as usize);
        let mut files = Vec::new();
        for (footer, _) in footers {
            files.push((footer.as_ref(), parquet_to_arrow_schema(footer.file_metadata().schema_descr(), None)?));
        }
        for (place, field) in self.table().file_schema().fields().iter().enumerate() {
            // What one column has of oddities says nothing of the others.
            if let Ok(column) = of_column(&files, field.name(), field.data_type(), rows) {
                statistics.column_statistics[place] = column;
            }
        }
        let names = self.table().columns.iter().map(|column| column.name.as_str());
        let parts = names.map(|name| column_bytes(footers, name) as f64 / sampled_bytes.max(1) as f64);
        Ok(Sample { statistics, rows_per_byte, bytes, column_parts: Some(parts.collect()) })
    }

    /// What the values of registered partitions say of their columns.
    fn add_partition_columns(&self, statistics: &mut Statistics) -> Result<()> {
        let first = self.table().file_schema().fields().len();
        let partitions = self.some_partitions(VALUES_SAMPLED);
        if partitions.is_empty() {
            return Ok(());
        }
        let columns = partitions[0].values.len();
        for column in 0..columns {
            let values: HashSet<_> = partitions.iter().map(|part| &part.values[column]).collect();
            let values: Vec<_> = values.into_iter().filter(|value| !value.is_null()).cloned().collect();
            if values.is_empty() {
                continue;
            }
            let known = &mut statistics.column_statistics[first + column];
            known.distinct_count = Precision::Inexact(values.len());
            let values = ScalarValue::iter_to_array(values)?;
            (known.min_value, known.max_value) = bounds(&[values])?;
        }
        Ok(())
    }
}

async fn footer(footers: &Footers, file: Arc<PinnedFile>) -> Option<(Arc<ParquetMetaData>, u64)> {
    match footers.footer(&file, TAIL_BYTES_MIN).await {
        Ok(footer) => Some((footer, file.size())),
        Err(error) => {
            tracing::debug!(%error, "a file says nothing of its table");
            None
        }
    }
}

/// Some places of so many, as far apart as they can be.
pub(super) fn spread(count: usize, wanted: usize) -> impl Iterator<Item = usize> {
    let taken = wanted.min(count);
    (0..taken).map(move |number| if taken == 1 { 0 } else { number * (count - 1) / (taken - 1) })
}

/// The bytes of a column, with all that is in it, in some files.
fn column_bytes(files: &[(Arc<ParquetMetaData>, u64)], name: &str) -> u64 {
    let groups = files.iter().flat_map(|(footer, _)| footer.row_groups());
    let of_column = groups
        .flat_map(|group| group.columns())
        .filter(|chunk| chunk.column_path().parts().first().is_some_and(|root| root.eq_ignore_ascii_case(name)));
    of_column.map(|chunk| u64::try_from(chunk.compressed_size()).unwrap_or_default()).sum()
}

fn of_column(
    files: &[(&ParquetMetaData, Schema)],
    name: &str,
    declared: &arrow::datatypes::DataType,
    rows: f64,
) -> Result<ColumnStatistics> {
    let (mut least, mut greatest) = (Vec::new(), Vec::new());
    let (mut nulls, mut counted) = (0, 0);
    for (footer, schema) in files {
        let of_file = footer.file_metadata();
        let Some(field) = schema.fields().iter().find(|field| field.name().eq_ignore_ascii_case(name)) else {
            continue;
        };
        let Ok(converter) = StatisticsConverter::try_new(field.name(), schema, of_file.schema_descr()) else {
            continue;
        };
        let groups = footer.row_groups();
        least.push(converter.row_group_mins(groups)?);
        greatest.push(converter.row_group_maxes(groups)?);
        let null_counts = converter.row_group_null_counts(groups)?;
        // Those that nobody has counted, or that are not to be trusted, say nothing of the others.
        for (group, null_count) in groups.iter().zip(&null_counts) {
            nulls += null_count.unwrap_or_default();
            counted += null_count.map_or(0, |_| group.num_rows().max(0) as u64);
        }
    }
    let mut statistics = ColumnStatistics::new_unknown();
    if counted > 0 {
        let nulls = nulls as f64 / counted as f64 * rows;
        statistics.null_count = Precision::Inexact(nulls as usize);
    }
    let as_declared = |bound: Precision<ScalarValue>| bound.get_value()?.cast_to(declared).ok();
    let least = as_declared(bounds(&least)?.0);
    let greatest = as_declared(bounds(&greatest)?.1);
    // Some writers have compared texts as they should not.
    if let Some((least, greatest)) = least.zip(greatest).filter(|(least, greatest)| least <= greatest) {
        statistics.min_value = Precision::Inexact(least);
        statistics.max_value = Precision::Inexact(greatest);
    }
    Ok(statistics)
}

/// The least and the greatest of values.
fn bounds(values: &[ArrayRef]) -> Result<(Precision<ScalarValue>, Precision<ScalarValue>)> {
    let Some(first) = values.first().filter(|first| !first.data_type().is_nested()) else {
        return Ok((Precision::Absent, Precision::Absent));
    };
    let (mut least, mut greatest) =
        (MinAccumulator::try_new(first.data_type())?, MaxAccumulator::try_new(first.data_type())?);
    // Another file may have another type for it.
    for values in values.iter().filter(|values| values.data_type() == first.data_type()) {
        least.update_batch(std::slice::from_ref(values))?;
        greatest.update_batch(std::slice::from_ref(values))?;
    }
    let known = |value: ScalarValue| if value.is_null() { Precision::Absent } else { Precision::Inexact(value) };
    Ok((known(least.evaluate()?), known(greatest.evaluate()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread() {
        assert_eq!(spread(10, 4).collect::<Vec<_>>(), [0, 3, 6, 9]);
        assert_eq!(spread(2, 4).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(spread(5, 1).collect::<Vec<_>>(), [0]);
        assert_eq!(spread(0, 4).count(), 0);
    }
}
