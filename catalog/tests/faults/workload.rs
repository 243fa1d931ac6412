//! A sequence of commits that follows from a seed.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use bytes::Bytes;
use catalog::rows::{NewPlaces, ReplacedUnit, RowSet, Segment, SegmentFile};
use catalog::vfs::simulated::Random;
use catalog::{
    Catalog, CatalogChange, CatalogSnapshot, Column, ColumnStatistics, ExternalTable, FileFormat, HotTable, ObjectName,
    Oid, Partition, Relation, RowAddresses, RowChanges, Schema, SchemaKind, SqlType, TableStatistics, View,
};

/// Makes commits.
#[derive(Debug)]
pub struct Workload {
    random: Random,
    names: u64,
    rows_bytes_max: u64,
}

impl Workload {
    /// The commits of this seed; rows of one commit have up to so many bytes.
    pub fn new(seed: u64, rows_bytes_max: u64) -> Self {
        Workload { random: Random::new(seed), names: 0, rows_bytes_max }
    }

    /// Commits that are made at the same time.
    pub fn next_group(&mut self, catalog: &Catalog) -> Vec<Vec<CatalogChange>> {
        let commits = if self.random.chance(1, 5) { 2 + self.random.below(2) } else { 1 };
        (0..commits).map(|_| self.next_commit(catalog)).collect()
    }

    fn next_commit(&mut self, catalog: &Catalog) -> Vec<CatalogChange> {
        let snapshot = catalog.snapshot();
        let mut changes = self.next_changes(catalog, &snapshot);
        if self.random.chance(1, 6) {
            changes.extend(self.create_table(catalog));
        }
        changes
    }

    fn next_changes(&mut self, catalog: &Catalog, snapshot: &CatalogSnapshot) -> Vec<CatalogChange> {
        let relations: Vec<_> = snapshot.relations_in("public").collect();
        let hot = relations.iter().filter(|it| matches!(it, Relation::Hot(_))).map(|it| it.oid());
        let hot: Vec<_> = hot.collect();
        match self.random.below(20) {
            0 => self.create_schema(catalog),
            1..=3 => self.create_table(catalog),
            4 => self.create_external_table(catalog),
            5 => match self.pick(&hot) {
                Some(table) => self.create_view(catalog, table),
                None => self.create_table(catalog),
            },
            6 | 7 => match self.pick(&relations) {
                Some(relation) if snapshot.dependents(relation.oid()).is_empty() => {
                    vec![CatalogChange::DropRelation { oid: relation.oid() }]
                }
                _ => self.create_schema(catalog),
            },
            kind => match self.pick(&hot) {
                Some(table) if kind < 11 => self.delete_rows(snapshot, table),
                Some(table) if kind == 11 => self.rewrite_rows(snapshot, table),
                Some(table) if kind == 12 => vec![CatalogChange::Truncate { table, seen: None }],
                Some(table) if kind == 13 => vec![self.analyze(snapshot, table)],
                Some(table) => vec![self.append_rows(table)],
                None => self.create_table(catalog),
            },
        }
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { from.get(self.random.below(from.len() as u64) as usize).cloned() }
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("n{}", self.names)
    }

    fn column(name: &str) -> Column {
        Column::new(1, name, SqlType::Integer)
    }

    fn create_schema(&mut self, catalog: &Catalog) -> Vec<CatalogChange> {
        let schema = Schema { oid: catalog.allocate_oid(), name: self.name(), kind: SchemaKind::Local };
        vec![CatalogChange::CreateSchema(schema)]
    }

    fn create_table(&mut self, catalog: &Catalog) -> Vec<CatalogChange> {
        vec![CatalogChange::CreateHotTable(HotTable::new(
            catalog.allocate_oid(),
            ObjectName::new("public", self.name()),
            vec![Self::column("id")],
        ))]
    }

    fn create_external_table(&mut self, catalog: &Catalog) -> Vec<CatalogChange> {
        let oid = catalog.allocate_oid();
        let table = ExternalTable {
            oid,
            name: ObjectName::new("public", self.name()),
            columns: vec![Self::column("id")],
            partition_columns: vec![Self::column("year")],
            format: FileFormat::Parquet,
            compression: None,
            encoding: Default::default(),
            layout: None,
            bad_data: Default::default(),
            location: "s3://bucket/folder/".into(),
            properties: vec![],
        };
        let partitions = (0..self.random.below(5)).map(|year| {
            let partition = Partition { values: vec![Some(year.to_string())], location: format!("s3://b/{year}/") };
            CatalogChange::AddPartition { table: oid, partition, may_exist: false }
        });
        std::iter::once(CatalogChange::CreateExternalTable(table)).chain(partitions).collect()
    }

    fn create_view(&mut self, catalog: &Catalog, table: Oid) -> Vec<CatalogChange> {
        vec![CatalogChange::CreateView(View {
            oid: catalog.allocate_oid(),
            name: ObjectName::new("public", self.name()),
            columns: vec!["id".into()],
            column_types: Vec::new(),
            query: "SELECT id FROM t".into(),
            search_path: vec!["public".into()],
            depends_on: vec![table],
            relations: Vec::new(),
            files: Vec::new(),
            late_binding: false,
        })]
    }

    fn append_rows(&mut self, table: Oid) -> CatalogChange {
        let size =
            if self.random.chance(1, 4) { self.random.below(self.rows_bytes_max) } else { self.random.below(300) };
        let values = Int64Array::from_iter_values((0..=size / 8).map(|_| self.random.next_u64() as i64));
        append(table, values)
    }

    /// Statistics that follow from nothing.
    fn analyze(&mut self, snapshot: &CatalogSnapshot, table: Oid) -> CatalogChange {
        let values: ArrayRef = Arc::new(Int32Array::from_iter_values((0..self.random.below(100)).map(|it| it as i32)));
        let known = ColumnStatistics { values: Some(values), ..ColumnStatistics::default() };
        let mut statistics = TableStatistics::of(&snapshot.rows(table));
        statistics.columns.insert(1, Arc::new(known));
        CatalogChange::SetStatistics { table, statistics: Arc::new(statistics) }
    }

    /// Deletes one row in ten of an inline unit that are not deleted already.
    fn delete_rows(&mut self, snapshot: &CatalogSnapshot, table: Oid) -> Vec<CatalogChange> {
        let rows = snapshot.rows(table);
        let units: Vec<_> = rows.inline_units().map(|unit| (unit.unit, unit.rows())).collect();
        let Some((unit, count)) = self.pick(&units) else { return vec![self.append_rows(table)] };
        let is_there = |row: &u32| !rows.deleted(unit).is_some_and(|deleted| deleted.contains(*row));
        let chosen: RowSet = (0..count).filter(is_there).filter(|_| self.random.chance(1, 10)).collect();
        let delete = RowAddresses::from_unit(unit, chosen);
        vec![CatalogChange::ChangeRows { table, changes: RowChanges { delete, ..RowChanges::default() } }]
    }

    /// Puts a segment in the place of an inline unit, row by row. No file is written: the catalog reads none.
    fn rewrite_rows(&mut self, snapshot: &CatalogSnapshot, table: Oid) -> Vec<CatalogChange> {
        let rows = snapshot.rows(table);
        let Some(unit) = rows.inline_units().next() else { return vec![self.append_rows(table)] };
        let mut places = NewPlaces::none(unit.rows());
        (0..unit.rows()).for_each(|row| places.set(row, 0, row));
        let name = self.name();
        let file = SegmentFile { table, name, rows: unit.rows(), bytes: 1, details: Bytes::from_static(b"details") };
        // As if nothing had been deleted when it was read: what is, is deleted from the segment.
        let replaced = vec![ReplacedUnit { unit: unit.unit, deleted: RowSet::default(), places: Arc::new(places) }];
        vec![
            CatalogChange::SealRows { table },
            CatalogChange::RewriteRows { table, replaced, segments: vec![Arc::new(Segment::new(file, None))] },
        ]
    }
}

/// The change that adds these rows.
pub fn append(table: Oid, values: Int64Array) -> CatalogChange {
    let column: ArrayRef = Arc::new(values);
    let rows = RecordBatch::try_from_iter_with_nullable([("c1", column, true)]).expect("one column");
    CatalogChange::ChangeRows { table, changes: RowChanges::append(vec![rows]) }
}
