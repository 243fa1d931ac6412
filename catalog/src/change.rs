//! The closed list of what can happen to the catalog, and how a snapshot follows from the one before.

mod comment;
mod loads;
mod role;
mod rows;
mod schema;
mod secret;
mod sequence;
pub(crate) mod statistics;
mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::comment::{Commented, ObjectClass};
use crate::error::{Error, Result};
use crate::external_table::ExternalTable;
use crate::file_writes::{NamedFile, WriteNumber};
use crate::hot_table::HotTable;
use crate::load_ledger::LoadedFile;
use crate::name::{ObjectName, Oid};
use crate::partition::{Partition, PartitionValues};
use crate::role::Role;
use crate::rows::{ReplacedUnit, RowChanges, RowCounts, Segment};
use crate::schema::Schema;
use crate::secret::StoredSecret;
use crate::sequence::{Sequence, SequenceState};
use crate::snapshot::{CatalogSnapshot, Definitions, Relation};
use crate::statistics::TableStatistics;
use crate::store::{RecordKey, Touched};
use crate::type_change::describe_type;
use crate::user_type::UserType;
use crate::view::{SeenRelation, View};

/// One thing that happens to the catalog. Verbs check what users should hear in detail before they make one; what is
/// checked here is what a concurrent commit may have changed in between.
#[derive(Debug, Clone)]
pub enum CatalogChange {
    /// `CREATE SCHEMA`, `CREATE EXTERNAL SCHEMA`
    CreateSchema(Schema),
    /// `ALTER SCHEMA … RENAME TO`
    RenameSchema {
        /// Its name.
        from: String,
        /// What it becomes.
        to: String,
    },
    /// `DROP SCHEMA`; the schema must be empty
    DropSchema {
        /// Its name.
        name: String,
    },
    /// `CREATE TABLE`
    CreateHotTable(HotTable),
    /// `CREATE EXTERNAL TABLE`
    CreateExternalTable(ExternalTable),
    /// `CREATE VIEW`
    CreateView(View),
    /// `CREATE OR REPLACE VIEW` over an existing view, `ALTER VIEW`: number stays, the name may change
    ReplaceView {
        /// As it was when the change was decided on.
        old: Arc<View>,
        /// As it becomes.
        new: Arc<View>,
    },
    /// `ALTER TABLE`: number stays, the name may change
    ReplaceHotTable {
        /// As it was when the change was decided on.
        old: Arc<HotTable>,
        /// As it becomes.
        new: Arc<HotTable>,
    },
    /// The rows beside it were made for this definition of a table, which must still hold
    ExpectHotTable(Arc<HotTable>),
    /// What is beside it was made of all rows of a table, of which there must be no others
    ExpectRows {
        /// The hot table.
        table: Oid,
        /// What had been done to its rows.
        counts: RowCounts,
    },
    /// `CREATE SEQUENCE`
    CreateSequence(Sequence),
    /// `ALTER SEQUENCE`: number stays, the name may change
    ReplaceSequence {
        /// As it was when the change was decided on.
        old: Arc<Sequence>,
        /// As it becomes.
        new: Arc<Sequence>,
    },
    /// `setval`, `ALTER SEQUENCE … RESTART`, or values of a sequence are taken
    SetSequence {
        /// The sequence.
        sequence: Oid,
        /// How far it is.
        state: SequenceState,
        /// How far it was, when that must still hold.
        expected: Option<SequenceState>,
    },
    /// `DROP TABLE`, `DROP VIEW`, `DROP SEQUENCE`; what depends on it must have been dropped before
    DropRelation {
        /// Its number.
        oid: Oid,
    },
    /// `CREATE TYPE`, `CREATE DOMAIN`
    CreateType(UserType),
    /// `ALTER TYPE`, `ALTER DOMAIN`: number and kind stay
    ReplaceType {
        /// As it was when the change was decided on.
        old: Box<UserType>,
        /// As it becomes.
        new: Box<UserType>,
        /// Hot tables whose rows were looked at, with how many they were.
        checked: Vec<(Oid, u64)>,
    },
    /// The rows beside it were checked by these definitions, which must still hold
    ExpectTypes(Vec<Arc<UserType>>),
    /// `DROP TYPE`, `DROP DOMAIN`; what depends on it must have been dropped before
    DropType {
        /// Its number.
        oid: Oid,
    },
    /// `CREATE ROLE`
    CreateRole(Role),
    /// `ALTER ROLE`: number stays, the name may change
    ReplaceRole {
        /// As it was when the change was decided on.
        old: Arc<Role>,
        /// As it becomes.
        new: Arc<Role>,
    },
    /// `DROP ROLE`
    DropRole {
        /// Its number.
        oid: Oid,
    },
    /// `CREATE SECRET`
    CreateSecret(StoredSecret),
    /// `CREATE OR REPLACE SECRET` over an existing secret: number and name stay
    ReplaceSecret {
        /// As it was when the change was decided on.
        old: Arc<StoredSecret>,
        /// As it becomes.
        new: Arc<StoredSecret>,
    },
    /// `DROP SECRET`
    DropSecret {
        /// Its number.
        oid: Oid,
    },
    /// `COMMENT ON`
    SetComment {
        /// What it is about.
        commented: Commented,
        /// What is said; nothing removes it.
        text: Option<Arc<str>>,
    },
    /// `ALTER TABLE … ADD PARTITION`
    AddPartition {
        /// The external table.
        table: Oid,
        /// What to register.
        partition: Partition,
        /// Whether it may be there already, at the same place.
        may_exist: bool,
    },
    /// `ALTER TABLE … DROP PARTITION`
    DropPartition {
        /// The external table.
        table: Oid,
        /// The values of the partition columns.
        values: PartitionValues,
    },
    /// A statement begins to write files into object storage: it gets a number, by which it ends
    BeginFileWrite {
        /// By which whoever begins it finds the number.
        token: u64,
    },
    /// Files of a write are going to be there
    NameWrittenFiles {
        /// The write.
        number: WriteNumber,
        /// The files.
        files: Vec<NamedFile>,
        /// Files that are there and become others. What another write may have left of them is this one's.
        overwritten: Vec<NamedFile>,
    },
    /// The files of a write are what they shall be
    EndFileWrite {
        /// The write.
        number: WriteNumber,
    },
    /// The files of a write are gone
    AbandonFileWrite {
        /// The write.
        number: WriteNumber,
    },
    /// `INSERT`, `UPDATE`, `DELETE`, `COPY` …: rows of a hot table go and come
    ChangeRows {
        /// The hot table.
        table: Oid,
        /// Which.
        changes: RowChanges,
    },
    /// `TRUNCATE`: all rows of a hot table go
    Truncate {
        /// The hot table.
        table: Oid,
        /// How many rows had been added when a transaction block truncated it
        /// ([`TableRows::added`](crate::TableRows::added)): what others have added since must not go with them.
        seen: Option<u64>,
    },
    /// `COPY … FROM` a location: the rows beside it are those of files
    RecordLoads {
        /// The hot table.
        table: Oid,
        /// The files.
        files: Vec<LoadedFile>,
        /// Whether they may have been loaded before.
        is_forced: bool,
    },
    /// `ANALYZE`
    SetStatistics {
        /// The hot table.
        table: Oid,
        /// What is known of it, and of those of its columns that were looked at.
        statistics: Arc<TableStatistics>,
    },
    /// The last inline unit of a hot table gets no more rows, so that it can be rewritten
    SealRows {
        /// The hot table.
        table: Oid,
    },
    /// Compaction: units of a hot table are replaced by segments with the same rows
    RewriteRows {
        /// The hot table.
        table: Oid,
        /// The units, as they were read.
        replaced: Vec<ReplacedUnit>,
        /// The files that have their rows now.
        segments: Vec<Arc<Segment>>,
    },
}

impl CatalogChange {
    /// Whether plans made before it may be wrong after it.
    fn is_definition(&self) -> bool {
        use CatalogChange::{
            AbandonFileWrite, BeginFileWrite, ChangeRows, EndFileWrite, ExpectHotTable, ExpectRows, ExpectTypes,
            NameWrittenFiles, RecordLoads, RewriteRows, SealRows, SetComment, SetSequence, SetStatistics, Truncate,
        };
        !matches!(
            self,
            ChangeRows { .. }
                | ExpectTypes(_)
                | ExpectHotTable(_)
                | ExpectRows { .. }
                | SetComment { .. }
                | Truncate { .. }
                | RecordLoads { .. }
                | SealRows { .. }
                | RewriteRows { .. }
                | SetSequence { .. }
                | BeginFileWrite { .. }
                | NameWrittenFiles { .. }
                | EndFileWrite { .. }
                | AbandonFileWrite { .. }
                | SetStatistics { .. }
        )
    }

    /// Whether nothing happens: it only has to be so.
    pub(crate) fn is_expectation(&self) -> bool {
        use CatalogChange::{ExpectHotTable, ExpectRows, ExpectTypes};
        matches!(self, ExpectHotTable(_) | ExpectRows { .. } | ExpectTypes(_))
    }

    /// The name of the relation that it makes, if it makes one.
    pub(crate) fn created(&self) -> Option<&ObjectName> {
        match self {
            CatalogChange::CreateHotTable(table) => Some(&table.name),
            CatalogChange::CreateExternalTable(table) => Some(&table.name),
            CatalogChange::CreateView(view) => Some(&view.name),
            CatalogChange::CreateSequence(sequence) => Some(&sequence.name),
            _ => None,
        }
    }
}

impl CatalogSnapshot {
    /// The snapshot that follows this one once every change has been applied, in order.
    ///
    /// # Errors
    /// The first change that does not fit; this snapshot is as it was.
    pub fn after(&self, changes: &[CatalogChange]) -> Result<CatalogSnapshot> {
        self.after_touching(changes, &mut Touched::default())
    }

    /// As [`after`](Self::after); also tells which records have to be written.
    pub(crate) fn after_touching(&self, changes: &[CatalogChange], touched: &mut Touched) -> Result<CatalogSnapshot> {
        let mut draft = self.clone();
        draft.version += 1;
        if changes.iter().any(CatalogChange::is_definition) {
            draft.definition_version += 1;
        }
        for change in changes {
            draft.apply(change, touched)?;
        }
        Ok(draft)
    }

    fn apply(&mut self, change: &CatalogChange, touched: &mut Touched) -> Result<()> {
        match change {
            CatalogChange::CreateSchema(schema) => self.create_schema(schema, touched),
            CatalogChange::RenameSchema { from, to } => self.rename_schema(from, to, touched),
            CatalogChange::DropSchema { name } => self.drop_schema(name, touched),
            CatalogChange::CreateHotTable(table) => {
                self.create_relation(Relation::Hot(Arc::new(table.clone())), touched)
            }
            CatalogChange::CreateExternalTable(table) => {
                self.create_relation(Relation::External(Arc::new(table.clone())), touched)
            }
            CatalogChange::CreateView(view) => self.create_view(view, touched),
            CatalogChange::ReplaceView { old, new } => self.replace_view(old, new, touched),
            CatalogChange::ReplaceHotTable { old, new } => self.replace_hot_table(old, new, touched),
            CatalogChange::ExpectHotTable(table) => self.expect_hot_table(table),
            CatalogChange::ExpectRows { table, counts } => self.expect_rows(*table, *counts),
            CatalogChange::CreateSequence(sequence) => self.create_sequence(sequence, touched),
            CatalogChange::ReplaceSequence { old, new } => self.replace_sequence(old, new, touched),
            CatalogChange::SetSequence { sequence, state, expected } => {
                self.set_sequence(*sequence, *state, *expected, touched)
            }
            CatalogChange::DropRelation { oid } => self.drop_relation(*oid, touched),
            CatalogChange::CreateType(ty) => self.create_type(ty, touched),
            CatalogChange::ReplaceType { old, new, checked } => self.replace_type(old, new, checked, touched),
            CatalogChange::ExpectTypes(types) => self.expect_types(types),
            CatalogChange::DropType { oid } => self.drop_type(*oid, touched),
            CatalogChange::CreateRole(role) => self.create_role(role, touched),
            CatalogChange::ReplaceRole { old, new } => self.replace_role(old, new, touched),
            CatalogChange::DropRole { oid } => self.drop_role(*oid, touched),
            CatalogChange::CreateSecret(secret) => self.create_secret(secret, touched),
            CatalogChange::ReplaceSecret { old, new } => self.replace_secret(old, new, touched),
            CatalogChange::DropSecret { oid } => self.drop_secret(*oid, touched),
            CatalogChange::SetComment { commented, text } => self.set_comment(*commented, text.as_ref(), touched),
            CatalogChange::AddPartition { table, partition, may_exist } => {
                self.add_partition(*table, partition, *may_exist, touched)
            }
            CatalogChange::DropPartition { table, values } => self.drop_partition(*table, values, touched),
            CatalogChange::BeginFileWrite { token } => {
                self.begin_file_write(*token, touched);
                Ok(())
            }
            CatalogChange::NameWrittenFiles { number, files, overwritten } => {
                self.name_written_files(*number, files, overwritten, touched)
            }
            CatalogChange::EndFileWrite { number } => self.end_file_write(*number, touched),
            CatalogChange::AbandonFileWrite { number } => self.abandon_file_write(*number, touched),
            CatalogChange::ChangeRows { table, changes } => self.change_rows(*table, changes, touched),
            CatalogChange::Truncate { table, seen } => self.truncate(*table, *seen, touched),
            CatalogChange::RecordLoads { table, files, is_forced } => {
                self.record_loads(*table, files, *is_forced, touched)
            }
            CatalogChange::SetStatistics { table, statistics } => self.set_statistics(*table, statistics, touched),
            CatalogChange::SealRows { table } => self.seal_rows(*table),
            CatalogChange::RewriteRows { table, replaced, segments } => {
                self.rewrite_rows(*table, replaced, segments, touched)
            }
        }
    }

    pub(crate) fn definitions_mut(&mut self) -> &mut Definitions {
        Arc::make_mut(&mut self.definitions)
    }

    pub(crate) fn reserve_oid(&mut self, oid: Oid) {
        self.next_oid = self.next_oid.max(Oid(oid.0 + 1));
    }

    fn create_schema(&mut self, schema: &Schema, touched: &mut Touched) -> Result<()> {
        if self.schema(&schema.name).is_some() {
            return Err(Error::SchemaExists(schema.name.clone()));
        }
        self.reserve_oid(schema.oid);
        self.definitions_mut().schemas.insert(schema.name.clone(), Arc::new(schema.clone()));
        touched.records.push(RecordKey::Schema(schema.oid));
        Ok(())
    }

    fn drop_schema(&mut self, name: &str, touched: &mut Touched) -> Result<()> {
        let oid = self.must_schema(name)?.oid;
        let types = self.types_in(name).map(|ty| describe_type(ty));
        let relations: Vec<_> = self.relations_in(name).map(describe).chain(types).collect();
        if !relations.is_empty() {
            return Err(Error::SchemaNotEmpty { schema: name.to_owned(), relations });
        }
        self.definitions_mut().schemas.remove(name);
        self.drop_comments(ObjectClass::Schema, oid, touched);
        touched.records.push(RecordKey::Schema(oid));
        Ok(())
    }

    pub(crate) fn create_relation(&mut self, relation: Relation, touched: &mut Touched) -> Result<()> {
        let name = relation.name().clone();
        self.must_schema(&name.schema)?;
        self.check_relation_name(&name)?;
        if self.user_type(&name).is_some() {
            return Err(Error::TypeExists(name));
        }
        for (_, sql_type) in relation.columns() {
            self.check_type(sql_type.clone())?;
        }
        if let Relation::Hot(table) = &relation {
            self.check_indexes(table, None)?;
        }
        self.put_relation(name, relation, touched);
        Ok(())
    }

    pub(crate) fn put_relation(&mut self, name: ObjectName, relation: Relation, touched: &mut Touched) {
        let oid = relation.oid();
        self.reserve_oid(oid);
        let definitions = self.definitions_mut();
        definitions.names.insert(oid, name.clone());
        definitions.relations.insert(name, relation);
        touched.records.push(RecordKey::Relation(oid));
    }

    fn create_view(&mut self, view: &View, touched: &mut Touched) -> Result<()> {
        self.check_dependencies(view)?;
        self.create_relation(Relation::View(Arc::new(view.clone())), touched)
    }

    fn replace_view(&mut self, old: &View, view: &Arc<View>, touched: &mut Touched) -> Result<()> {
        self.check_dependencies(view)?;
        // Another session may have made a view that this one reads read this one.
        if self.reads(&view.depends_on, view.oid) {
            return Err(Error::ChangedConcurrently { oid: view.oid });
        }
        match self.relation_by_oid(view.oid) {
            Some(Relation::View(found)) if found.as_ref() == old => {
                self.rename_relation(&old.name, &view.name)?;
                self.put_relation(view.name.clone(), Relation::View(view.clone()), touched);
                Ok(())
            }
            _ => Err(Error::ChangedConcurrently { oid: view.oid }),
        }
    }

    /// Whether any of the relations is the one with this number, or a view that reads it.
    pub fn reads(&self, relations: &[Oid], wanted: Oid) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = relations.to_vec();
        while let Some(oid) = open.pop() {
            if oid == wanted {
                return true;
            }
            if let (true, Some(Relation::View(view))) = (seen.insert(oid), self.relation_by_oid(oid)) {
                open.extend(&view.depends_on);
            }
        }
        false
    }

    fn check_dependencies(&self, view: &View) -> Result<()> {
        let is_there = |oid: Oid| self.relation_by_oid(oid).is_some() || self.user_type_by_oid(oid).is_some();
        if let Some(oid) = view.depends_on.iter().find(|oid| !is_there(**oid)) {
            return Err(Error::ChangedConcurrently { oid: *oid });
        }
        view.relations.iter().try_for_each(|seen| self.check_columns(seen))
    }

    /// The columns that a view reads must be there.
    fn check_columns(&self, seen: &SeenRelation) -> Result<()> {
        let has_column = |number: i16| match self.relation_by_oid(seen.oid) {
            Some(Relation::Hot(table)) => table.column(number).is_some(),
            Some(Relation::View(view)) => usize::try_from(number).is_ok_and(|place| place <= view.columns.len()),
            other => other.is_some(),
        };
        match seen.columns.iter().all(|column| !column.is_read || has_column(column.number)) {
            true => Ok(()),
            false => Err(Error::ChangedConcurrently { oid: seen.oid }),
        }
    }

    fn drop_relation(&mut self, oid: Oid, touched: &mut Touched) -> Result<()> {
        let relation = self.relation_by_oid(oid).ok_or(Error::ChangedConcurrently { oid })?.clone();
        let dependents = self.dependents(oid);
        if !dependents.is_empty() {
            let dependents = dependents.iter().map(|view| format!("view {}", view.name)).collect();
            return Err(Error::RelationInUse { relation: describe(&relation), dependents });
        }
        let defaults = self.defaults_that_refer_to(oid);
        if !defaults.is_empty() {
            let dependents = defaults
                .iter()
                .map(|(table, column)| format!("default value for column {column} of table {}", table.name));
            return Err(Error::RelationInUse { relation: describe(&relation), dependents: dependents.collect() });
        }
        touched.records.push(RecordKey::Relation(oid));
        touched.records.extend(self.partitions(oid).iter().map(|it| RecordKey::Partition(oid, it.values.clone())));
        self.drop_rows(oid, touched);
        self.drop_sequence_state(oid, touched);
        self.drop_statistics(oid, touched);
        self.drop_loads(oid, touched);
        self.drop_comments(ObjectClass::Relation, oid, touched);
        if let Relation::Hot(table) = &relation {
            let constraints = table.constraints.iter().map(|constraint| constraint.oid);
            constraints.for_each(|oid| self.drop_comments(ObjectClass::Constraint, oid, touched));
        }
        let definitions = self.definitions_mut();
        definitions.partitions.remove(&oid);
        definitions.names.remove(&oid);
        definitions.relations.remove(relation.name());
        Ok(())
    }

    fn external_table(&self, oid: Oid) -> Result<Arc<ExternalTable>> {
        match self.relation_by_oid(oid) {
            Some(Relation::External(table)) => Ok(table.clone()),
            _ => Err(Error::ChangedConcurrently { oid }),
        }
    }

    fn add_partition(&mut self, oid: Oid, partition: &Partition, may_exist: bool, touched: &mut Touched) -> Result<()> {
        let table = self.external_table(oid)?;
        if may_exist && self.partitions(oid).get(&partition.values) == Some(partition) {
            return Ok(());
        }
        let partitions = Arc::make_mut(self.definitions_mut().partitions.entry(oid).or_default());
        if !partitions.insert(partition.clone()) {
            // Whoever has written there has looked before where it is.
            if may_exist {
                return Err(Error::ChangedConcurrently { oid });
            }
            let values = partition_text(&table, &partition.values);
            return Err(Error::PartitionExists { table: table.name.name.clone(), values });
        }
        touched.records.push(RecordKey::Partition(oid, partition.values.clone()));
        Ok(())
    }

    fn drop_partition(&mut self, oid: Oid, values: &[Option<String>], touched: &mut Touched) -> Result<()> {
        let table = self.external_table(oid)?;
        let partitions = Arc::make_mut(self.definitions_mut().partitions.entry(oid).or_default());
        if !partitions.remove(values) {
            let values = partition_text(&table, values);
            return Err(Error::PartitionNotFound { table: table.name.name.clone(), values });
        }
        touched.records.push(RecordKey::Partition(oid, values.to_vec()));
        Ok(())
    }
}

pub(crate) fn describe(relation: &Relation) -> String {
    format!("{} {}", relation.kind(), relation.name())
}

/// The values of a partition as `key=value, …`.
fn partition_text(table: &ExternalTable, values: &[Option<String>]) -> String {
    let pairs = table.partition_columns.iter().zip(values).map(|(column, value)| match value {
        Some(value) => format!("{}={value}", column.name),
        None => format!("{}=NULL", column.name),
    });
    pairs.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hot_table::Column;
    use crate::types::SqlType;

    fn table(oid: u32, name: &str) -> HotTable {
        let column = Column::new(1, "id", SqlType::Integer);
        HotTable::new(Oid(oid), ObjectName::new("public", name), vec![column])
    }

    fn view(oid: u32, name: &str, depends_on: &[u32]) -> View {
        View {
            oid: Oid(oid),
            name: ObjectName::new("public", name),
            columns: vec!["id".into()],
            column_types: vec![(SqlType::Integer.oid(), -1)],
            query: "SELECT id FROM t".into(),
            search_path: vec!["public".into()],
            depends_on: depends_on.iter().map(|oid| Oid(*oid)).collect(),
            relations: Vec::new(),
            files: Vec::new(),
            late_binding: false,
        }
    }

    #[test]
    fn a_failing_change_leaves_the_snapshot_as_it_was() {
        let before = CatalogSnapshot::initial().after(&[CatalogChange::CreateHotTable(table(20_000, "t"))]).unwrap();
        let changes =
            [CatalogChange::CreateHotTable(table(20_001, "u")), CatalogChange::CreateHotTable(table(20_002, "t"))];
        assert!(matches!(before.after(&changes), Err(Error::RelationExists(_))));
        assert!(before.relation(&ObjectName::new("public", "u")).is_none());
        assert_eq!(before.version(), 1);
    }

    #[test]
    fn a_table_under_a_view_cannot_be_dropped_first() {
        let snapshot = CatalogSnapshot::initial()
            .after(&[
                CatalogChange::CreateHotTable(table(20_000, "t")),
                CatalogChange::CreateView(view(20_001, "v", &[20_000])),
            ])
            .unwrap();
        let drop_table = CatalogChange::DropRelation { oid: Oid(20_000) };
        let drop_view = CatalogChange::DropRelation { oid: Oid(20_001) };
        assert!(matches!(snapshot.after(std::slice::from_ref(&drop_table)), Err(Error::RelationInUse { .. })));
        assert!(snapshot.after(&[drop_view, drop_table]).is_ok());
    }
}
