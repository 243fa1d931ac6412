//! A sequence of commits that follows from a seed.

use bytes::Bytes;
use catalog::vfs::simulated::Random;
use catalog::{
    Catalog, CatalogChange, CatalogSnapshot, Column, ExternalTable, FileFormat, HotTable, ObjectName, Oid, Partition,
    Relation, Schema, SchemaKind, SqlType, View,
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
            _ => match self.pick(&hot) {
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
        Column { attribute_number: 1, name: name.into(), sql_type: SqlType::Integer, not_null: false }
    }

    fn create_schema(&mut self, catalog: &Catalog) -> Vec<CatalogChange> {
        let schema = Schema { oid: catalog.allocate_oid(), name: self.name(), kind: SchemaKind::Local };
        vec![CatalogChange::CreateSchema(schema)]
    }

    fn create_table(&mut self, catalog: &Catalog) -> Vec<CatalogChange> {
        vec![CatalogChange::CreateHotTable(HotTable {
            oid: catalog.allocate_oid(),
            name: ObjectName::new("public", self.name()),
            columns: vec![Self::column("id")],
            options: vec![],
        })]
    }

    fn create_external_table(&mut self, catalog: &Catalog) -> Vec<CatalogChange> {
        let oid = catalog.allocate_oid();
        let table = ExternalTable {
            oid,
            name: ObjectName::new("public", self.name()),
            columns: vec![Self::column("id")],
            partition_columns: vec![Self::column("year")],
            format: FileFormat::Parquet,
            location: "s3://bucket/folder/".into(),
            properties: vec![],
        };
        let partitions = (0..self.random.below(5)).map(|year| {
            let partition = Partition { values: vec![Some(year.to_string())], location: format!("s3://b/{year}/") };
            CatalogChange::AddPartition { table: oid, partition }
        });
        std::iter::once(CatalogChange::CreateExternalTable(table)).chain(partitions).collect()
    }

    fn create_view(&mut self, catalog: &Catalog, table: Oid) -> Vec<CatalogChange> {
        vec![CatalogChange::CreateView(View {
            oid: catalog.allocate_oid(),
            name: ObjectName::new("public", self.name()),
            columns: vec!["id".into()],
            query: "SELECT id FROM t".into(),
            search_path: vec!["public".into()],
            depends_on: vec![table],
        })]
    }

    fn append_rows(&mut self, table: Oid) -> CatalogChange {
        let size =
            if self.random.chance(1, 4) { self.random.below(self.rows_bytes_max) } else { self.random.below(300) };
        let mut rows = Vec::new();
        while (rows.len() as u64) < size {
            rows.extend(self.random.next_u64().to_le_bytes());
        }
        CatalogChange::AppendRows { table, rows: 1 + self.random.below(100) as u32, bytes: Bytes::from(rows) }
    }
}
