//! An external table, as the engine sees it.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use catalog::partition::Partitions;
use catalog::{CatalogSnapshot, ExternalTable, FileFormat, FileWrites, NamedFiles, Partition, TableStatistics};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, Statistics, ToDFSchema, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::scalar::ScalarValue;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use object_store::ObjectMeta;

use super::budget::{ScanBudget, bytes_expected, check_partition_filter};
use super::by_name::ByName;
use super::discovery::Folders;
use super::listing::{self, FILES_MAX};
use super::load_files::LoadFile;
use super::parquet_scan::{FileReading, OfTable, ParquetScanExec, Told};
use super::pattern::matching_files;
use super::rows::{JsonPath, RowSource, ValueBuilders, Watched};
use super::sample::{Sample, SomeFiles, spread};
use super::tolerance::{SessionTolerance, Tolerance};
use super::{discovery, file_columns, folder_values, partition_values, statistics};
use crate::error::Error;
use crate::object_stores::listings::ListingAge;
use crate::object_stores::{Location, ObjectStores, object_url};
use crate::scan::faults::Faults;
use crate::scan::knowledge::{Knowledge, Selectivities};
use crate::scan::prune_partitions::{PartitionFilters, is_partition_filter, is_plain, prune_partitions, rows};
use crate::scan::report::{LoadedFiles, ReadCounter, ScanReport, ScanReports, Waterfall};

/// Locations listed at the same time. A listing is one slow request that costs nothing here; more at once make an object
/// store push back.
pub(super) const LISTINGS_PARALLEL: usize = 64;

/// An external table with its registered partitions, as they are in one snapshot of the catalog.
#[derive(Debug, Clone)]
pub struct ExternalTableProvider {
    table: Arc<ExternalTable>,
    /// What a query calls it, where that is something else.
    alias: Option<Arc<str>>,
    partitions: Arc<Partitions>,
    stores: Arc<ObjectStores>,
    builders: Arc<dyn ValueBuilders>,
    schema: SchemaRef,
    partition_columns: SchemaRef,
    /// The columns whose values are the same for all rows of a file: those of partitions, and [`FILE_COLUMNS`].
    columns_of_files: SchemaRef,
    /// What names the files, when the table's location does not.
    patterns: Option<Vec<String>>,
    /// The files that are read, when they are known and not looked for.
    given: Option<Vec<LoadFile>>,
    /// What becomes of bad data, when it is not for the session to say.
    tolerance: Option<SessionTolerance>,
    /// Where the values of the columns are in JSON, when not under their names.
    json_paths: Option<Arc<[JsonPath]>>,
    /// What is known of the table, once one has looked.
    sample: OnceLock<Arc<Sample>>,
    /// What is known of it beside.
    known: Option<Knowledge>,
    selectivities: Arc<Selectivities>,
}

/// Scans of a part of a table's rows, and what counts what they read.
pub(super) type SpreadScans = (Vec<Arc<dyn ExecutionPlan>>, Arc<ReadCounter>);

/// How a part of a table's rows is read.
pub(super) struct Spread {
    pub projection: Vec<usize>,
    /// Of so many row groups of a file one is read.
    pub groups_one_in: usize,
}

/// One location that a scan reads, and the partition columns' values for what is there.
pub(super) struct Part {
    pub(super) location: Location,
    pub(super) values: Vec<ScalarValue>,
    /// What is there, if it has been listed already.
    pub(super) objects: Option<Vec<ObjectMeta>>,
}

/// The locations that a scan reads.
struct Parts {
    parts: Vec<Part>,
    /// Partitions that there are, as far as one has looked.
    total: usize,
}

/// The files of one object store.
struct StoreFiles {
    location: Location,
    files: Vec<PartitionedFile>,
}

/// What a scan does with its files.
struct ScanPlan<'a> {
    session: &'a dyn Session,
    projection: Option<&'a Vec<usize>>,
    predicate: Option<Arc<dyn PhysicalExpr>>,
    limit: Option<usize>,
    tolerance: Arc<Tolerance>,
    told: Reported,
    /// Of so many row groups of a file one is read.
    groups_one_in: usize,
}

/// What a scan wants of a table.
struct Wanted<'a> {
    projection: Option<&'a Vec<usize>>,
    /// The partitions it reads, and those there are.
    partitions: (usize, usize),
    partition_columns_free: Vec<String>,
    /// What chooses them, where somebody wants to know.
    file_filter: Option<Arc<dyn PhysicalExpr>>,
}

/// What a scan tells while it runs.
struct Reported {
    read: Arc<ReadCounter>,
    steps: Arc<Waterfall>,
    faults: Arc<Faults>,
    loaded: Option<Arc<LoadedFiles>>,
}

impl ExternalTableProvider {
    /// The table as the engine sees it; `builders` know what the texts in its files mean.
    pub fn new(
        table: Arc<ExternalTable>,
        partitions: Arc<Partitions>,
        stores: Arc<ObjectStores>,
        builders: Arc<dyn ValueBuilders>,
    ) -> Self {
        let partition_columns = catalog::hot_table::arrow_schema(&table.partition_columns);
        let schema = with_file_columns(&table.arrow_schema());
        let columns_of_files = with_file_columns(&partition_columns);
        ExternalTableProvider {
            table,
            alias: None,
            partitions,
            stores,
            builders,
            schema,
            partition_columns,
            columns_of_files,
            patterns: None,
            given: None,
            tolerance: None,
            json_paths: None,
            sample: OnceLock::new(),
            known: None,
            selectivities: Arc::default(),
        }
    }

    /// The same table, with what is known of it in a snapshot with the same definitions.
    #[must_use]
    pub fn seen_in(&self, snapshot: &CatalogSnapshot) -> Self {
        let (table, analyzed) = (self.table.oid, snapshot.statistics(self.table.oid).cloned());
        let columns = self.table.columns.iter().chain(&self.table.partition_columns);
        let numbers = columns.map(|column| column.attribute_number);
        let known = Some(Knowledge::new(table, analyzed, numbers, self.selectivities.clone()));
        ExternalTableProvider { known, sample: OnceLock::new(), ..self.clone() }
    }

    /// The same table, of which it is noted which rows conditions leave.
    #[must_use]
    pub fn learning(self, selectivities: Arc<Selectivities>) -> Self {
        ExternalTableProvider { selectivities, ..self }
    }

    /// What is known of it.
    pub fn knowledge(&self) -> Option<&Knowledge> {
        self.known.as_ref()
    }

    /// What ANALYZE has found out.
    pub(super) fn analyzed(&self) -> Option<&TableStatistics> {
        self.known.as_ref()?.analyzed()
    }

    /// What is known of it, if one has looked.
    pub(super) fn looked_at(&self) -> Option<&Arc<Sample>> {
        self.sample.get()
    }

    /// The same table, without partitions, of these files only; whatever the session says of bad data.
    #[must_use]
    pub fn of_files(self, files: Vec<LoadFile>, tolerance: SessionTolerance) -> Self {
        ExternalTableProvider { given: Some(files), tolerance: Some(tolerance), ..self }
    }

    /// The same table, whose columns are found in JSON by these paths.
    #[must_use]
    pub fn with_json_paths(self, paths: Vec<JsonPath>) -> Self {
        ExternalTableProvider { json_paths: Some(paths.into()), ..self }
    }

    /// The same table as a query calls it.
    #[must_use]
    pub fn called(&self, alias: &str) -> Self {
        ExternalTableProvider { alias: Some(alias.into()), ..self.clone() }
    }

    /// The same for files that a query names.
    pub fn of_named_files(files: &NamedFiles, stores: Arc<ObjectStores>, builders: Arc<dyn ValueBuilders>) -> Self {
        let table = Arc::new(files.table.clone());
        let provider = ExternalTableProvider::new(table, Arc::default(), stores, builders);
        ExternalTableProvider { patterns: Some(files.patterns.clone()), ..provider }
    }

    /// The table.
    pub(super) fn table(&self) -> &ExternalTable {
        &self.table
    }

    /// Its columns, those of its files and those of its partitions.
    pub(super) fn full_schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// What tells it from other tables.
    pub(super) fn sample_key(&self) -> String {
        let mut schema = DefaultHasher::new();
        self.schema.hash(&mut schema);
        let (table, schema) = (&self.table, schema.finish());
        let known = self.analyzed().and_then(TableStatistics::rows_per_byte);
        format!("{}\0{:?}\0{}\0{:?}\0{known:?}\0{schema}", table.oid.0, table.format, table.location, self.patterns)
    }

    /// Notes what is known of it.
    pub(super) fn set_sample(&self, sample: Arc<Sample>) {
        self.sample.get_or_init(|| sample);
    }

    /// Some of the registered partitions, spread over all.
    pub(super) fn some_partitions(&self, wanted: usize) -> Vec<Part> {
        let all: Vec<_> = self.partitions.chunks().flat_map(|chunk| chunk.partitions()).collect();
        let part = |place: usize| {
            let partition: &Partition = all[place];
            let location = self.stores.resolve(&partition.location).ok()?;
            Some(Part { location, values: self.values(partition).ok()?, objects: None })
        };
        spread(all.len(), wanted).filter_map(part).collect()
    }

    /// How many partitions are registered.
    pub(super) fn partition_count(&self) -> usize {
        self.partitions.len()
    }

    /// Whether its partitions are found by their folders' names.
    pub(super) fn is_discovered(&self) -> bool {
        self.table.layout.is_some() && self.given.is_none() && self.patterns.is_none()
    }

    /// Where it is.
    pub(super) fn own_location(&self) -> Result<Location, Error> {
        self.stores.resolve(&self.table.location)
    }

    /// The files of some of its parts, by the stores that they are in.
    pub(super) async fn files_of(
        &self,
        session: &dyn Session,
        parts: Vec<Part>,
    ) -> Result<Vec<(Location, Vec<PartitionedFile>)>> {
        let writes = session.config().get_extension::<FileWrites>().unwrap_or_default();
        let stores = self.list(parts, &writes, &age(session)).await?;
        Ok(stores.into_iter().map(|store| (store.location, store.files)).collect())
    }

    /// All files of the table, by the stores that they are in.
    pub(super) async fn all_files(&self, session: &dyn Session) -> Result<Vec<(Location, Vec<PartitionedFile>)>> {
        let (stores, _) = self.files(session, &[]).await?;
        Ok(stores.into_iter().map(|store| (store.location, store.files)).collect())
    }

    /// The files to be read, and how many of how many partitions they are.
    async fn files(&self, session: &dyn Session, filters: &[Expr]) -> Result<(Vec<StoreFiles>, (usize, usize))> {
        let is_of_partition = |filter: &Expr| is_partition_filter(filter, &self.partition_columns);
        let (of_partitions, of_files): (Vec<Expr>, Vec<Expr>) = filters.iter().cloned().partition(is_of_partition);
        if let Some(given) = &self.given {
            let files = grouped(given.iter().map(given_file));
            return Ok((self.wanted_files(session, files, filters)?, (0, 0)));
        }
        let writes = session.config().get_extension::<FileWrites>().unwrap_or_default();
        let Some(patterns) = &self.patterns else {
            let Parts { parts, total } = self.parts(session, &of_partitions).await?;
            let partitions = (parts.len(), total);
            return Ok((
                self.wanted_files(session, self.list(parts, &writes, &age(session)).await?, &of_files)?,
                partitions,
            ));
        };
        let listed = self.list_patterns(patterns, &writes).await?;
        let total = self.partitions_of(&listed);
        let wanted = self.wanted_files(session, listed, filters)?;
        let read = self.partitions_of(&wanted);
        Ok((wanted, (read, total)))
    }

    /// Lists the files of patterns, with the values of partition columns that their folders tell.
    async fn list_patterns(&self, patterns: &[String], writes: &FileWrites) -> Result<Vec<StoreFiles>, Error> {
        let listed = stream::iter(patterns.to_vec()).map(|pattern| self.list_pattern(pattern, writes));
        self.by_store(listed.buffered(LISTINGS_PARALLEL)).await
    }

    async fn list_pattern(&self, pattern: String, writes: &FileWrites) -> Result<StoreFiles, Error> {
        let (location, objects) = matching_files(&self.stores, &pattern, writes).await?;
        let file = |object: ObjectMeta| {
            let url = object_url(&location.store_url, &object.location);
            let values = folder_values::values(&object.location, &url, &self.table.partition_columns)?;
            Ok(with_values(&location, object, values))
        };
        let files = objects.into_iter().map(file).collect::<Result<_, Error>>()?;
        Ok(StoreFiles { location, files })
    }

    /// How many partitions files are of.
    fn partitions_of(&self, stores: &[StoreFiles]) -> usize {
        let columns = self.partition_columns.fields().len();
        if columns == 0 {
            return 0;
        }
        let files = stores.iter().flat_map(|store| &store.files);
        files.map(|file| &file.partition_values[..columns]).collect::<HashSet<_>>().len()
    }

    /// The locations that have to be read: the table's, or those of the partitions that the filters let through.
    async fn parts(&self, session: &dyn Session, filters: &[Expr]) -> Result<Parts> {
        if self.table.partition_columns.is_empty() {
            let location = self.stores.resolve(&self.table.location)?;
            return Ok(Parts { parts: vec![Part { location, values: vec![], objects: None }], total: 0 });
        }
        let registered = self.registered(session, filters)?;
        let Some(layout) = &self.table.layout else {
            return Ok(Parts { parts: registered, total: self.partitions.len() });
        };
        let location = self.stores.resolve(&self.table.location)?;
        let columns = &self.table.partition_columns;
        let folders = Folders { location: &location, listings: self.stores.listings(), age: age(session) };
        let discovered = discovery::discover(session, &folders, layout, columns, filters).await?;
        // A partition that is registered is where that says.
        let known: HashSet<_> = registered.iter().map(|part| &part.values).collect();
        let mut parts = discovered.parts;
        parts.retain(|part| !known.contains(&part.values));
        parts.extend(registered);
        Ok(Parts { total: discovered.seen.max(parts.len()), parts })
    }

    /// The registered partitions that the filters let through. Their values are kept as values from one statement to the next.
    fn registered(&self, session: &dyn Session, filters: &[Expr]) -> Result<Vec<Part>> {
        let filters = PartitionFilters::new(session, &self.partition_columns, filters)?;
        let mut parts = Vec::new();
        for chunk in self.partitions.chunks() {
            let values = chunk.parsed(|partitions| {
                let values =
                    partitions.iter().map(|partition| self.values(partition)).collect::<Result<Vec<_>, _>>()?;
                rows(&self.partition_columns, &values)
            })?;
            for place in filters.kept(values)? {
                let location = self.stores.resolve(&chunk.partitions()[place].location)?;
                let values = values.columns().iter().map(|column| ScalarValue::try_from_array(column, place));
                parts.push(Part { location, values: values.collect::<Result<_>>()?, objects: None });
            }
        }
        Ok(parts)
    }

    fn values(&self, partition: &Partition) -> Result<Vec<ScalarValue>, Error> {
        let values = self.table.partition_columns.iter().enumerate().map(|(index, column)| {
            let text = partition.values.get(index).and_then(Option::as_deref);
            partition_values::parse(text, column)
        });
        values.collect()
    }

    /// Lists the parts, several at a time.
    async fn list(&self, parts: Vec<Part>, writes: &FileWrites, age: &ListingAge) -> Result<Vec<StoreFiles>, Error> {
        let listed = stream::iter(parts).map(|part| self.list_part(part, writes, age));
        self.by_store(listed.buffered(LISTINGS_PARALLEL)).await
    }

    /// Files that are being listed, by their stores.
    async fn by_store(&self, listed: impl Stream<Item = Result<StoreFiles, Error>>) -> Result<Vec<StoreFiles>, Error> {
        let mut listed = std::pin::pin!(listed);
        let mut all = Vec::new();
        let mut files_count = 0;
        while let Some(listed) = listed.try_next().await? {
            files_count += listed.files.len();
            if files_count > FILES_MAX {
                return Err(Error::TooManyFiles { location: self.table.location.clone(), files_max: FILES_MAX });
            }
            all.push(listed);
        }
        Ok(grouped(all))
    }

    async fn list_part(&self, part: Part, writes: &FileWrites, age: &ListingAge) -> Result<StoreFiles, Error> {
        let location = part.location;
        let objects = match part.objects {
            Some(objects) => listing::files_among(&location, writes, objects).await?,
            None => listing::known_files(self.stores.listings(), &location, writes, age).await?,
        };
        let files = objects.into_iter().map(|object| with_values(&location, object, part.values.clone())).collect();
        Ok(StoreFiles { location, files })
    }

    /// Those of the files that filters over what is known of a file let through.
    fn wanted_files(
        &self,
        session: &dyn Session,
        mut stores: Vec<StoreFiles>,
        filters: &[Expr],
    ) -> Result<Vec<StoreFiles>> {
        if filters.is_empty() {
            return Ok(stores);
        }
        for store in &mut stores {
            let values: Vec<_> = store.files.iter().map(|file| file.partition_values.clone()).collect();
            let kept = prune_partitions(session, &self.columns_of_files, &values, filters)?;
            let files = std::mem::take(&mut store.files);
            let files = files.into_iter().enumerate().filter(|(place, _)| kept.binary_search(place).is_ok());
            store.files = files.map(|(_, file)| file).collect();
        }
        stores.retain(|store| !store.files.is_empty());
        Ok(stores)
    }

    /// The part of a plan that reads one store's files.
    fn scan_store(&self, plan: &ScanPlan, store: StoreFiles) -> Result<Arc<dyn ExecutionPlan>> {
        match self.table.format {
            FileFormat::Parquet if !plan.tolerance.rules().tolerate_anything() => self.scan_columns(plan, store),
            _ => self.scan_rows(plan, store),
        }
    }

    /// Whether files are read in parts that they tell of.
    pub(super) fn reads_columns(&self, session: &dyn Session) -> bool {
        self.table.format == FileFormat::Parquet
            && !self.tolerance_in(session, Arc::default()).rules().tolerate_anything()
    }

    fn tolerance_in(&self, session: &dyn Session, faults: Arc<Faults>) -> Tolerance {
        let of_session = || session.config().get_extension::<SessionTolerance>().map(|it| *it);
        let of_session = self.tolerance.or_else(of_session).unwrap_or_default();
        Tolerance::new(self.table.bad_data.clone(), of_session, faults)
    }

    /// Files that tell what is in them, and of which parts are read.
    fn scan_columns(&self, plan: &ScanPlan, store: StoreFiles) -> Result<Arc<dyn ExecutionPlan>> {
        let reading = plan.session.config().get_extension::<FileReading>().unwrap_or_default();
        let Reported { read, steps, loaded, .. } = &plan.told;
        let told = Told { read: read.clone(), steps: steps.clone(), is_load: loaded.is_some() };
        let (table, alias, columns_of_files) = (self.table.clone(), self.alias.clone(), self.columns_of_files.clone());
        let partitions_max = plan.session.config().target_partitions();
        let StoreFiles { location, files } = store;
        let bytes = files.iter().map(|file| file.object_meta.size).sum();
        let statistics = self.expected(bytes);
        let known = self.known.clone();
        let of_table = OfTable { table, alias, columns_of_files, statistics, known };
        let scan = ParquetScanExec::new(of_table, &location, files, reading, told, partitions_max);
        let scan = scan.of_one_group_in(plan.groups_one_in);
        let excluding = plan.predicate.iter().cloned().collect();
        Ok(Arc::new(scan.asked_for(plan.projection, excluding, plan.limit)?))
    }

    /// Files that are read from their beginning to their end.
    fn scan_rows(&self, plan: &ScanPlan, store: StoreFiles) -> Result<Arc<dyn ExecutionPlan>> {
        let StoreFiles { location, files } = store;
        let bytes = files.iter().map(|file| file.object_meta.size).sum();
        let table_schema = TableSchema::builder(self.table.file_schema())
            .with_table_partition_cols(self.columns_of_files.fields().clone())
            .build();
        let memory = plan.session.runtime_env().memory_pool.clone();
        let (table, builders) = (self.table.clone(), self.builders.clone());
        let reading = plan.session.config().get_extension::<FileReading>().unwrap_or_default();
        let watched = Watched {
            alias: self.alias.clone(),
            known: self.known.clone(),
            tolerance: plan.tolerance.clone(),
            read: plan.told.read.clone(),
            // What is loaded is not read again.
            pages: reading.pages.clone().filter(|_| plan.told.loaded.is_none()),
            loaded: plan.told.loaded.clone(),
            json_paths: self.json_paths.clone(),
        };
        let source = Arc::new(RowSource::new(table, table_schema, &location, builders, watched, memory));
        let groups = balanced(files, plan.session.config().target_partitions());
        let config = FileScanConfigBuilder::new(location.store_url, source)
            .with_file_groups(groups)
            .with_statistics(self.expected(bytes))
            .with_projection_indices(plan.projection.cloned())?
            .with_limit(plan.limit)
            .with_expr_adapter(Some(Arc::new(ByName::new(&self.table.columns))))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    /// What is expected of files of so many bytes.
    fn expected(&self, bytes: u64) -> Statistics {
        let sample = self.sample.get();
        sample.map_or_else(|| statistics::estimate(&self.schema, bytes), |sample| self.informed(sample, Some(bytes)))
    }

    /// The scans of some files, and what counts what they read. Nobody is told of them.
    pub(super) fn scan_spread(
        &self,
        session: &dyn Session,
        files: Vec<SomeFiles>,
        spread: &Spread,
    ) -> Result<SpreadScans> {
        let (read, faults) = (Arc::<ReadCounter>::default(), Arc::<Faults>::default());
        let tolerance = Arc::new(self.tolerance_in(session, faults.clone()));
        let told = Reported { read: read.clone(), steps: Arc::default(), faults, loaded: None };
        let projection = Some(&spread.projection);
        let groups_one_in = spread.groups_one_in;
        let plan = ScanPlan { session, projection, predicate: None, limit: None, tolerance, told, groups_one_in };
        let stores = grouped(files.into_iter().map(|some| StoreFiles { location: some.location, files: some.files }));
        let scans = stores.into_iter().map(|store| self.scan_store(&plan, store));
        Ok((scans.collect::<Result<_>>()?, read))
    }

    /// The partition columns that no filter is about.
    fn free_partition_columns(&self, filters: &[Expr]) -> Vec<String> {
        let names = self.table.partition_columns.iter().map(|column| &column.name);
        let is_filtered =
            |name: &str| filters.iter().any(|filter| filter.column_refs().iter().any(|column| column.name == name));
        names.filter(|name| !is_filtered(name)).cloned().collect()
    }

    /// Reports what is going to be read; what counts what has been, and what could not be.
    ///
    /// # Errors
    /// It is more than the statement may read.
    fn report(
        &self,
        session: &dyn Session,
        wanted: Wanted,
        stores: &[StoreFiles],
        budget: ScanBudget,
    ) -> Result<Reported> {
        let (partitions_read, partitions_total) = wanted.partitions;
        let loaded =
            |files: &Vec<LoadFile>| Arc::new(LoadedFiles::new(files.iter().map(|file| (file.url(), file.object.size))));
        let loaded = self.given.as_ref().map(loaded);
        let told = Reported { read: Arc::default(), steps: Arc::default(), faults: Arc::default(), loaded };
        let Some(reports) = session.config().get_extension::<ScanReports>() else {
            return Ok(told);
        };
        let is_partitioned = !self.table.partition_columns.is_empty();
        let files = || stores.iter().flat_map(|store| &store.files);
        let bytes = files().map(|file| file.object_meta.size).sum();
        let report = ScanReport {
            table: self.table.name.clone(),
            location: self.table.location.clone(),
            format: self.table.format.name(),
            partitions_total,
            partitions_read: if is_partitioned { partitions_read } else { 0 },
            files: files().count(),
            bytes,
            bytes_expected: bytes_expected(self.sample.get().map(AsRef::as_ref), bytes, wanted.projection),
            file_filter: wanted.file_filter,
            partition_columns_free: wanted.partition_columns_free,
            read: told.read.clone(),
            steps: told.steps.clone(),
            faults: told.faults.clone(),
            loaded: told.loaded.clone(),
        };
        reports.push_checked(report, |all| budget.check(all))?;
        Ok(told)
    }

    fn predicate(&self, session: &dyn Session, filters: &[Expr]) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let Some(filter) = conjunction(filters.iter().cloned()) else {
            return Ok(None);
        };
        let schema = self.schema.clone().to_dfschema()?;
        session.create_physical_expr(filter, &schema).map(Some)
    }
}

#[async_trait]
impl TableProvider for ExternalTableProvider {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// A filter over partition columns, or of what is known of a file, is done once the partitions and files are chosen. Any other is compared with statistics,
    /// where the format has them, which leaves rows for the engine to look at.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| {
            if is_partition_filter(filter, &self.columns_of_files) {
                TableProviderFilterPushDown::Exact
            } else if self.table.format == FileFormat::Parquet && is_plain(filter) {
                TableProviderFilterPushDown::Inexact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        };
        Ok(filters.iter().map(support).collect())
    }

    /// What is known of all of its rows, when one has looked.
    fn statistics(&self) -> Option<Statistics> {
        self.sample.get().map(|sample| self.informed(sample, None))
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let is_exact = |filter: &Expr| is_partition_filter(filter, &self.columns_of_files);
        let (exact, inexact): (Vec<Expr>, Vec<Expr>) = filters.iter().cloned().partition(is_exact);
        let partition_columns_free = self.free_partition_columns(&exact);
        check_partition_filter(&self.table, &partition_columns_free)?;
        let (stores, partitions) = self.files(session, &exact).await?;
        let budget = session.config().get_extension::<ScanBudget>().map(|it| *it).unwrap_or_default();
        if budget.wants_to_know() {
            // The scan will say so, if it has to read what cannot be read.
            self.look_at(session).await.unwrap_or_else(|error| tracing::debug!(%error, "nothing is known of a table"));
        }
        let file_filter = if budget.estimates { self.predicate(session, &exact)? } else { None };
        let wanted = Wanted { projection, partitions, partition_columns_free, file_filter };
        let told = self.report(session, wanted, &stores, budget)?;
        let tolerance = Arc::new(self.tolerance_in(session, told.faults.clone()));

        // A limit counts rows that the engine has not looked at yet when a filter is left to it.
        let limit = limit.filter(|_| inexact.is_empty());
        let predicate = self.predicate(session, &inexact)?;
        let plan = ScanPlan { session, projection, predicate, limit, tolerance, told, groups_one_in: 1 };
        let scans = stores.into_iter().map(|store| self.scan_store(&plan, store));
        let mut scans = scans.collect::<Result<Vec<_>>>()?;
        match (scans.pop(), scans.is_empty()) {
            (None, _) => Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?))),
            (Some(scan), true) => Ok(scan),
            (Some(scan), false) => {
                scans.push(scan);
                UnionExec::try_new(scans)
            }
        }
    }
}

/// How old listings may be in a session.
fn age(session: &dyn Session) -> ListingAge {
    session.config().get_extension::<ListingAge>().map(|age| *age).unwrap_or_default()
}

/// A file with the values of the columns whose values are the same for all of its rows.
fn with_values(location: &Location, object: ObjectMeta, values: Vec<ScalarValue>) -> PartitionedFile {
    let file = PartitionedFile::new_from_meta(object);
    let of_file = file_columns::values(&location.store_url, &file);
    file.with_partition_values(values.into_iter().chain(of_file).collect())
}

/// A file that is known, in its store.
fn given_file(given: &LoadFile) -> StoreFiles {
    let location = given.location.clone();
    let files = vec![with_values(&location, given.object.clone(), Vec::new())];
    StoreFiles { location, files }
}

/// The files by the stores that they are in.
fn grouped(all: impl IntoIterator<Item = StoreFiles>) -> Vec<StoreFiles> {
    let mut stores: BTreeMap<ObjectStoreUrl, StoreFiles> = BTreeMap::new();
    for mut found in all.into_iter().filter(|found| !found.files.is_empty()) {
        match stores.get_mut(&found.location.store_url) {
            Some(store) => store.files.append(&mut found.files),
            None => drop(stores.insert(found.location.store_url.clone(), found)),
        }
    }
    stores.into_values().collect()
}

fn with_file_columns(schema: &SchemaRef) -> SchemaRef {
    let of_files = file_columns::fields().map(Arc::new);
    Arc::new(Schema::new(schema.fields().iter().cloned().chain(of_files).collect::<Vec<_>>()))
}

/// Files in groups of about the same size, one for each task: the largest file first, each to the group with the least.
fn balanced(mut files: Vec<PartitionedFile>, groups_max: usize) -> Vec<FileGroup> {
    let groups_count = groups_max.clamp(1, files.len().max(1));
    let mut groups = vec![(0, Vec::new()); groups_count];
    files.sort_by_key(|file| std::cmp::Reverse(file.object_meta.size));
    for file in files {
        if let Some((bytes, group)) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            *bytes += file.object_meta.size;
            group.push(file);
        }
    }
    groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
}

#[cfg(test)]
mod s3_tests;
#[cfg(test)]
mod tests;
