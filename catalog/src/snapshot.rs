//! Everything that exists, at one version.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::OrdMap;

use crate::comment::Commented;
use crate::error::{Error, Result};
use crate::external_table::ExternalTable;
use crate::file_writes::FileWrites;
use crate::hot_table::HotTable;
use crate::load_ledger::LoadLedger;
use crate::name::{FIRST_NORMAL_OID, ObjectName, Oid};
use crate::partition::Partitions;
use crate::role::Role;
use crate::rows::{TableRows, UnitId};
use crate::schema::{Schema, SchemaKind};
use crate::secret::StoredSecret;
use crate::sequence::{Sequence, SequenceState};
use crate::statistics::TableStatistics;
use crate::types::SqlType;
use crate::user_type::UserType;
use crate::view::View;

/// The schema that exists from the start, as in PostgreSQL.
pub const PUBLIC_SCHEMA: &str = "public";
/// OID of [`PUBLIC_SCHEMA`], as in PostgreSQL.
const PUBLIC_SCHEMA_OID: Oid = Oid(2200);

/// Everything that exists at one version. It never changes: look-ups only, no locks, no I/O.
#[derive(Debug, Clone)]
pub struct CatalogSnapshot {
    pub(crate) version: u64,
    pub(crate) definition_version: u64,
    pub(crate) next_oid: Oid,
    pub(crate) next_unit: UnitId,
    pub(crate) definitions: Arc<Definitions>,
    pub(crate) rows: OrdMap<Oid, Arc<TableRows>>,
    pub(crate) sequences: OrdMap<Oid, SequenceState>,
    /// What is known of the values of hot tables.
    pub(crate) statistics: OrdMap<Oid, Arc<TableStatistics>>,
    /// What is written into object storage.
    pub(crate) file_writes: Arc<FileWrites>,
    /// Which files have been loaded into hot tables.
    pub(crate) loads: OrdMap<Oid, Arc<LoadLedger>>,
    /// Tables of which old addresses of rows are remembered.
    pub(crate) moved: BTreeSet<Oid>,
    /// What everybody sees, where this is what one session sees. Whoever has this knows the addresses of rows in that.
    pub(crate) shared: Option<Arc<CatalogSnapshot>>,
}

/// The definitions of a snapshot, which can be compared and nothing else.
#[derive(Debug, Clone)]
pub struct SeenDefinitions(Arc<Definitions>);

/// What DDL makes; shared between snapshots that differ only in rows. A copy shares what does not change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    pub(crate) schemas: OrdMap<String, Arc<Schema>>,
    pub(crate) relations: OrdMap<ObjectName, Relation>,
    pub(crate) names: OrdMap<Oid, ObjectName>,
    pub(crate) partitions: OrdMap<Oid, Arc<Partitions>>,
    pub(crate) types: OrdMap<ObjectName, Arc<UserType>>,
    /// Names of the types, by their numbers and by those of their arrays.
    pub(crate) type_names: OrdMap<Oid, ObjectName>,
    pub(crate) roles: OrdMap<String, Arc<Role>>,
    pub(crate) secrets: Arc<BTreeMap<String, Arc<StoredSecret>>>,
    /// What users say about things.
    pub(crate) comments: OrdMap<Commented, Arc<str>>,
}

/// Something whose definition names a type.
#[derive(Debug, Clone)]
pub enum TypeUser {
    /// A column of a table.
    Column {
        /// The table.
        relation: Relation,
        /// The name of the column.
        column: String,
    },
    /// The query of a view.
    View(Arc<View>),
    /// A type.
    Type(Arc<UserType>),
}

/// A relation of any kind. They share one name space.
#[derive(Debug, Clone)]
pub enum Relation {
    /// A hot table.
    Hot(Arc<HotTable>),
    /// An external table.
    External(Arc<ExternalTable>),
    /// A view.
    View(Arc<View>),
    /// A sequence.
    Sequence(Arc<Sequence>),
}

impl CatalogSnapshot {
    /// What a new data directory holds: the schema `public` and a role.
    pub fn initial() -> Self {
        let public = Schema { oid: PUBLIC_SCHEMA_OID, name: PUBLIC_SCHEMA.to_owned(), kind: SchemaKind::Local };
        let mut definitions = Definitions::default();
        definitions.schemas.insert(public.name.clone(), Arc::new(public));
        let first = Role::first();
        definitions.roles.insert(first.name.clone(), Arc::new(first));
        CatalogSnapshot {
            definitions: Arc::new(definitions),
            file_writes: Arc::new(FileWrites::initial()),
            ..Self::empty()
        }
    }

    /// Nothing at all.
    pub(crate) fn empty() -> Self {
        CatalogSnapshot {
            version: 0,
            definition_version: 0,
            next_oid: FIRST_NORMAL_OID,
            next_unit: UnitId(1),
            definitions: Arc::default(),
            rows: OrdMap::new(),
            sequences: OrdMap::new(),
            statistics: OrdMap::new(),
            file_writes: Arc::default(),
            loads: OrdMap::new(),
            moved: BTreeSet::new(),
            shared: None,
        }
    }

    /// Counts every commit.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Counts the commits that changed a definition: a plan made at the same value is still good.
    pub fn definition_version(&self) -> u64 {
        self.definition_version
    }

    /// Whether both have the same definitions. Two snapshots whose definitions were changed apart have not, whatever came of
    /// it.
    pub fn has_definitions_of(&self, other: &CatalogSnapshot) -> bool {
        Arc::ptr_eq(&self.definitions, &other.definitions)
    }

    /// The definitions, to be recognised; unlike the snapshot, they hold on to no rows.
    pub fn seen_definitions(&self) -> SeenDefinitions {
        SeenDefinitions(self.definitions.clone())
    }

    /// Whether its definitions are still these.
    pub fn has_seen(&self, seen: &SeenDefinitions) -> bool {
        Arc::ptr_eq(&self.definitions, &seen.0)
    }

    /// The schema of this name, if there is one.
    pub fn schema(&self, name: &str) -> Option<&Arc<Schema>> {
        self.definitions.schemas.get(name)
    }

    /// The schema of this name, or `schema … does not exist`.
    pub fn must_schema(&self, name: &str) -> Result<&Arc<Schema>> {
        self.schema(name).ok_or_else(|| Error::SchemaNotFound(name.to_owned()))
    }

    /// All schemas, by name.
    pub fn schemas(&self) -> impl Iterator<Item = &Arc<Schema>> {
        self.definitions.schemas.values()
    }

    /// The relation of this name, if there is one.
    pub fn relation(&self, name: &ObjectName) -> Option<&Relation> {
        self.definitions.relations.get(name)
    }

    /// The relation with this number, if there is one.
    pub fn relation_by_oid(&self, oid: Oid) -> Option<&Relation> {
        self.definitions.names.get(&oid).and_then(|name| self.relation(name))
    }

    /// The relations of a schema, by name.
    pub fn relations_in<'a>(&'a self, schema: &'a str) -> impl Iterator<Item = &'a Relation> {
        let first = ObjectName::new(schema, "");
        let in_schema = move |entry: &(&'a ObjectName, &'a Relation)| entry.0.schema == schema;
        self.definitions.relations.range(first..).take_while(in_schema).map(|(_, relation)| relation)
    }

    /// All relations, by name.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.definitions.relations.values()
    }

    /// All hot tables, by name.
    pub fn hot_tables(&self) -> impl Iterator<Item = &Arc<HotTable>> {
        self.definitions.relations.values().filter_map(hot_table)
    }

    /// All sequences, by name.
    pub fn sequences(&self) -> impl Iterator<Item = &Arc<Sequence>> {
        self.definitions.relations.values().filter_map(|relation| match relation {
            Relation::Sequence(sequence) => Some(sequence),
            _ => None,
        })
    }

    /// The table with an index of this name, which shares the name space of relations.
    pub fn table_of_index(&self, name: &ObjectName) -> Option<&Arc<HotTable>> {
        let first = ObjectName::new(name.schema.as_str(), "");
        let of_schema = self.definitions.relations.range(first..).take_while(|(it, _)| it.schema == name.schema);
        of_schema.filter_map(|(_, relation)| hot_table(relation)).find(|table| table.index(&name.name).is_some())
    }

    /// Whether a constraint of a table in this schema has the name.
    pub fn has_constraint(&self, schema: &str, name: &str) -> bool {
        self.hot_tables_in(schema).any(|table| table.declared_constraint(name).is_some())
    }

    fn hot_tables_in<'a>(&'a self, schema: &'a str) -> impl Iterator<Item = &'a Arc<HotTable>> {
        self.relations_in(schema).filter_map(hot_table)
    }

    /// The columns whose default refers to a relation, with their tables.
    pub fn defaults_that_refer_to(&self, oid: Oid) -> Vec<(Arc<HotTable>, String)> {
        let columns = |table: &Arc<HotTable>| {
            let columns = table.referred().filter(|(_, referred)| *referred == oid);
            columns.map(|(column, _)| (table.clone(), column.name.clone())).collect::<Vec<_>>()
        };
        self.hot_tables().flat_map(columns).collect()
    }

    /// The sequences that go with a table, or with one of its columns.
    pub fn owned_sequences(&self, table: Oid) -> Vec<Arc<Sequence>> {
        self.sequences().filter(|it| it.owner.is_some_and(|(owner, _)| owner == table)).cloned().collect()
    }

    /// The views that read the relation with this number, directly.
    pub fn dependents(&self, oid: Oid) -> Vec<Arc<View>> {
        let views = self.definitions.relations.values().filter_map(|relation| match relation {
            Relation::View(view) if view.depends_on.contains(&oid) => Some(view.clone()),
            _ => None,
        });
        views.collect()
    }

    /// The type of this name that a user has made, if there is one.
    pub fn user_type(&self, name: &ObjectName) -> Option<&Arc<UserType>> {
        self.definitions.types.get(name)
    }

    /// The type with this number, or whose arrays have it.
    pub fn user_type_by_oid(&self, oid: Oid) -> Option<&Arc<UserType>> {
        self.definitions.type_names.get(&oid).and_then(|name| self.user_type(name))
    }

    /// The types of a schema that users have made, by name.
    pub fn types_in<'a>(&'a self, schema: &'a str) -> impl Iterator<Item = &'a Arc<UserType>> {
        let in_schema = move |entry: &(&'a ObjectName, &'a Arc<UserType>)| entry.0.schema == schema;
        self.definitions.types.range(ObjectName::new(schema, "")..).take_while(in_schema).map(|(_, ty)| ty)
    }

    /// All types that users have made, by name.
    pub fn user_types(&self) -> impl Iterator<Item = &Arc<UserType>> {
        self.definitions.types.values()
    }

    /// The types that users have made among these and whatever they are made of.
    pub fn types_within(&self, sql_types: impl IntoIterator<Item = SqlType>) -> Vec<Arc<UserType>> {
        let mut found: Vec<Arc<UserType>> = Vec::new();
        let mut open: Vec<SqlType> = sql_types.into_iter().collect();
        while let Some(sql_type) = open.pop() {
            let SqlType::User(user) = sql_type else { continue };
            let Some(ty) = self.user_type_by_oid(user.oid()) else { continue };
            if !found.iter().any(|known| known.oid == ty.oid) {
                open.extend(ty.referred());
                found.push(ty.clone());
            }
        }
        found
    }

    /// What names a type, directly.
    pub fn type_users(&self, ty: &UserType) -> Vec<TypeUser> {
        let types = self.user_types().filter(|other| other.refers_to(ty)).cloned().map(TypeUser::Type);
        let mut users: Vec<_> = types.collect();
        for relation in self.definitions.relations.values() {
            match relation {
                Relation::View(view) if view.depends_on.contains(&ty.oid) => users.push(TypeUser::View(view.clone())),
                Relation::View(_) | Relation::Sequence(_) => {}
                Relation::Hot(_) | Relation::External(_) => {
                    let columns = relation.columns().filter(|(_, sql_type)| ty.is_type_of(sql_type));
                    users.extend(
                        columns.map(|(column, _)| TypeUser::Column {
                            relation: relation.clone(),
                            column: column.to_owned(),
                        }),
                    );
                }
            }
        }
        users
    }

    /// The role of this name, if there is one.
    pub fn role(&self, name: &str) -> Option<&Arc<Role>> {
        self.definitions.roles.get(name)
    }

    /// The role with this number, if there is one.
    pub fn role_by_oid(&self, oid: Oid) -> Option<&Arc<Role>> {
        self.roles().find(|role| role.oid == oid)
    }

    /// All roles, by name.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.definitions.roles.values()
    }

    /// All secrets, by name.
    pub fn secrets(&self) -> &Arc<BTreeMap<String, Arc<StoredSecret>>> {
        &self.definitions.secrets
    }

    /// What is said about something.
    pub fn comment(&self, commented: Commented) -> Option<&str> {
        self.definitions.comments.get(&commented).map(AsRef::as_ref)
    }

    /// Everything that is said about things.
    pub fn comments(&self) -> impl Iterator<Item = (Commented, &str)> {
        self.definitions.comments.iter().map(|(commented, text)| (*commented, text.as_ref()))
    }

    /// The rows of a hot table.
    pub fn rows(&self, table: Oid) -> Arc<TableRows> {
        self.rows.get(&table).cloned().unwrap_or_default()
    }

    /// The hot tables that have had rows, and these.
    pub fn tables_with_rows(&self) -> impl Iterator<Item = (Oid, &Arc<TableRows>)> {
        self.rows.iter().map(|(table, rows)| (*table, rows))
    }

    /// How far a sequence has come.
    pub fn sequence_state(&self, sequence: Oid) -> Option<SequenceState> {
        self.sequences.get(&sequence).copied()
    }

    /// What ANALYZE has found out about a table.
    pub fn statistics(&self, table: Oid) -> Option<&Arc<TableStatistics>> {
        self.statistics.get(&table)
    }

    /// The files that have been loaded into a hot table.
    pub fn loads(&self, table: Oid) -> Arc<LoadLedger> {
        self.loads.get(&table).cloned().unwrap_or_default()
    }

    /// The hot tables into which files have been loaded, and these.
    pub fn all_loads(&self) -> impl Iterator<Item = (Oid, &Arc<LoadLedger>)> {
        self.loads.iter().map(|(table, ledger)| (*table, ledger))
    }

    /// The names of all files that segments refer to, by table.
    pub fn segment_files(&self) -> BTreeSet<(Oid, String)> {
        let of_table = |(table, rows): (&Oid, &Arc<TableRows>)| {
            rows.segments().map(|(_, segment)| (*table, segment.file.name.clone())).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(of_table).collect()
    }

    /// The numbers of the indexes of all keys.
    pub fn key_indexes(&self) -> BTreeSet<Oid> {
        self.hot_tables().flat_map(|table| table.keys().map(|(_, key)| key.index)).collect()
    }

    /// The registered partitions of an external table, by their values.
    pub fn partitions(&self, table: Oid) -> Arc<Partitions> {
        self.definitions.partitions.get(&table).cloned().unwrap_or_default()
    }
}

fn hot_table(relation: &Relation) -> Option<&Arc<HotTable>> {
    match relation {
        Relation::Hot(table) => Some(table),
        _ => None,
    }
}

impl Definitions {
    /// Adds a type, under both of its numbers.
    pub(crate) fn put_type(&mut self, ty: Arc<UserType>) {
        for oid in [ty.oid, ty.array_oid] {
            self.type_names.insert(oid, ty.name.clone());
        }
        self.types.insert(ty.name.clone(), ty);
    }
}

impl Relation {
    /// Its number.
    pub fn oid(&self) -> Oid {
        match self {
            Relation::Hot(table) => table.oid,
            Relation::External(table) => table.oid,
            Relation::View(view) => view.oid,
            Relation::Sequence(sequence) => sequence.oid,
        }
    }

    /// Its name.
    pub fn name(&self) -> &ObjectName {
        match self {
            Relation::Hot(table) => &table.name,
            Relation::External(table) => &table.name,
            Relation::View(view) => &view.name,
            Relation::Sequence(sequence) => &sequence.name,
        }
    }

    /// The columns of a table with their types; a view's have none of their own.
    pub fn columns(&self) -> Box<dyn Iterator<Item = (&str, &SqlType)> + '_> {
        match self {
            Relation::Hot(table) => Box::new(table.columns.iter().map(|it| (it.name.as_str(), &it.sql_type))),
            Relation::External(table) => {
                let columns = table.columns.iter().chain(&table.partition_columns);
                Box::new(columns.map(|it| (it.name.as_str(), &it.sql_type)))
            }
            Relation::View(_) | Relation::Sequence(_) => Box::new(std::iter::empty()),
        }
    }

    /// What messages call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Relation::Hot(_) => "table",
            Relation::External(_) => "external table",
            Relation::View(_) => "view",
            Relation::Sequence(_) => "sequence",
        }
    }
}
