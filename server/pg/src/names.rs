//! What a statement's names of relations, types and schemas mean, and what objects are called: the catalog as a session
//! sees it.
//!
//! Types are numbers wherever expressions are analysed and computed. What a number above PostgreSQL's own stands for is
//! asked here. The answer belongs to a statement (a transaction sees types that nobody else does), and the question comes
//! from places that know no statement: so whoever works for one says so with [`Names::enter`], for the thread and for as
//! long as he does. Where nobody has, such a type is unknown, which is an error and never another meaning.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use catalog::comment::Commented;
use catalog::name::FIRST_NORMAL_OID;
use catalog::user_type::{Carried, DomainCheck, UserSqlType};
use catalog::{
    CatalogSnapshot, Constraint, HotTable, ObjectName, Oid, Relation, Schema, SchemaKind, ShownIndex, SqlType,
    UserType, UserTypeKind,
};

use crate::library::text::quoted_identifier;
use crate::recorded;
use crate::types;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Names>>> = const { RefCell::new(None) };
}

/// The schema of PostgreSQL's own objects, which is searched first unless the search path has it somewhere.
pub const PG_CATALOG: &str = "pg_catalog";
/// The schema of the views that the SQL standard asks for.
pub const INFORMATION_SCHEMA: &str = "information_schema";
/// What stands for the schema of the session's temporary objects.
pub const PG_TEMP: &str = "pg_temp";
/// The number of the one database: the first that PostgreSQL has for what users make. Tools do not show databases with
/// lower ones.
pub const DATABASE_OID: u32 = 16_384;
/// What the foreign-data wrapper is called that stands for object storage: external schemas are its servers.
pub const WRAPPER: &str = "object_storage";
/// Its number, of those that PostgreSQL leaves to others.
pub const WRAPPER_OID: u32 = 9010;

/// Members of an object at most, as far as their numbers are concerned: as many as a table has columns in PostgreSQL.
const MEMBERS_MAX: u32 = 1600;

/// The number of what an object has several of, in an order, and what has none of its own in our catalog: the labels of an
/// enum, the checks of a domain. It is greater for those that come later, and another for each, as long as there are less than
/// a million objects.
pub fn member_oid(object: Oid, place: u32) -> u32 {
    types::FIRST_COMPUTED_OID | object.0.wrapping_mul(MEMBERS_MAX).wrapping_add(place)
}

/// The catalog as a session sees it.
#[derive(Debug)]
pub struct Names {
    snapshot: Arc<CatalogSnapshot>,
    database: String,
    search_path: Vec<String>,
    /// The schema that [`PG_TEMP`] stands for.
    temporary_schema: String,
    /// Tables and places of constraints, by their numbers.
    constraints: OnceLock<HashMap<Oid, (Arc<HotTable>, usize)>>,
    /// Tables and places of indexes, by their numbers.
    indexes: OnceLock<HashMap<Oid, (Arc<HotTable>, usize)>>,
    /// The types that have been looked up by name: what a view depends on.
    types_used: Mutex<BTreeSet<Oid>>,
}

/// What a type with a number above PostgreSQL's own is.
#[derive(Debug, Clone)]
pub enum Definition {
    /// A type that a user has made.
    User(Arc<UserType>),
    /// The arrays of one.
    Array(Arc<UserType>),
    /// The rows of a table.
    Row(Relation),
}

/// While it lives, the thread works for a statement.
#[derive(Debug)]
pub struct Entered {
    before: Option<Arc<Names>>,
    /// It belongs to the thread.
    thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// The names of the statement that the thread works for.
pub fn current() -> Option<Arc<Names>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Whether a number is one that types of PostgreSQL's own do not have.
pub fn is_user_number(oid: u32) -> bool {
    oid >= FIRST_NORMAL_OID.0
}

/// What a type is that is none of PostgreSQL's own.
pub fn definition(oid: u32) -> Option<Definition> {
    if !is_user_number(oid) {
        return None;
    }
    CURRENT.with_borrow(|names| names.as_ref()?.definition(oid))
}

impl Names {
    /// For statements that see `snapshot` and look names up in these schemas, in order; `pg_temp` is the last one.
    pub fn new(
        snapshot: Arc<CatalogSnapshot>,
        database: &str,
        search_path: Vec<String>,
        temporary_schema: &str,
    ) -> Self {
        Names {
            snapshot,
            database: database.to_owned(),
            search_path,
            temporary_schema: temporary_schema.to_owned(),
            constraints: OnceLock::new(),
            indexes: OnceLock::new(),
            types_used: Mutex::default(),
        }
    }

    /// From now on the thread works for a statement with these names.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> Entered {
        Entered { before: CURRENT.replace(Some(self.clone())), thread: PhantomData }
    }

    /// What the statement sees.
    pub fn snapshot(&self) -> &Arc<CatalogSnapshot> {
        &self.snapshot
    }

    /// Whether this is the database that names may begin with.
    pub fn is_database(&self, name: &str) -> bool {
        name == self.database
    }

    /// The types that have been looked up by name.
    pub fn types_used(&self) -> Vec<Oid> {
        self.types_used.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    fn definition(&self, oid: u32) -> Option<Definition> {
        match self.snapshot.user_type_by_oid(Oid(oid)) {
            Some(ty) if ty.oid.0 == oid => Some(Definition::User(ty.clone())),
            Some(ty) => Some(Definition::Array(ty.clone())),
            None => self.snapshot.relation_by_oid(Oid(oid)).map(|relation| Definition::Row(relation.clone())),
        }
    }

    /// The full names that a written one may stand for, in the order in which they are looked for.
    fn candidates(&self, parts: &[String]) -> Vec<ObjectName> {
        match parts {
            [name] => self.search_path.iter().map(|schema| ObjectName::new(schema.as_str(), name.as_str())).collect(),
            [schema, name] => vec![ObjectName::new(self.schema(schema), name.as_str())],
            [database, schema, name] if *database == self.database => {
                vec![ObjectName::new(self.schema(schema), name.as_str())]
            }
            _ => Vec::new(),
        }
    }

    /// The schema that a written name stands for.
    fn schema<'n>(&'n self, written: &'n str) -> &'n str {
        if written == PG_TEMP { &self.temporary_schema } else { written }
    }

    /// The number of the type with this name that is none of PostgreSQL's own.
    pub fn type_named(&self, parts: &[String]) -> Option<u32> {
        let found = self.candidates(parts).iter().find_map(|name| self.type_of_name(name))?;
        let object = self.snapshot.user_type_by_oid(Oid(found)).map_or(Oid(found), |ty| ty.oid);
        self.types_used.lock().unwrap_or_else(PoisonError::into_inner).insert(object);
        Some(found)
    }

    fn type_of_name(&self, name: &ObjectName) -> Option<u32> {
        if let Some(ty) = self.snapshot.user_type(name) {
            return Some(ty.oid.0);
        }
        if let Some(relation @ (Relation::Hot(_) | Relation::External(_))) = self.snapshot.relation(name) {
            return Some(relation.oid().0);
        }
        // Arrays have types with names of their own.
        let element = ObjectName::new(name.schema.as_str(), name.name.strip_prefix('_')?);
        self.snapshot.user_type(&element).map(|ty| ty.array_oid.0)
    }

    /// The relation with this name.
    pub fn relation_named(&self, parts: &[String]) -> Option<&Relation> {
        self.candidates(parts).iter().find_map(|name| self.snapshot.relation(name))
    }

    /// The number of the relation with this name, which may be one of the system's, or an index.
    pub fn relation_number(&self, parts: &[String]) -> Option<u32> {
        let written = |name: &ObjectName| {
            let relation = self.snapshot.relation(name).map(Relation::oid);
            let index = || self.snapshot.table_of_index(name)?.index(&name.name).map(|index| index.oid);
            relation.or_else(index).map(|oid| oid.0)
        };
        let system = |name: &ObjectName| recorded::relation(&name.schema, &name.name).map(|relation| relation.oid);
        let is_implied = parts.len() == 1 && !self.search_path.iter().any(|schema| schema == PG_CATALOG);
        let implied = || system(&ObjectName::new(PG_CATALOG, parts.first()?.as_str()));
        let found = is_implied.then(implied).flatten();
        found.or_else(|| self.candidates(parts).iter().find_map(|name| system(name).or_else(|| written(name))))
    }

    /// The schema in a name that does not exist, if that is what is wrong with it.
    pub fn missing_schema<'p>(&self, parts: &'p [String]) -> Option<&'p str> {
        let [.., schema, _] = parts else { return None };
        let known = matches!(schema.as_str(), PG_CATALOG | INFORMATION_SCHEMA | PG_TEMP)
            || self.snapshot.schema(schema).is_some();
        (!known).then_some(schema)
    }

    /// How a relation is called where the search path is this one.
    pub fn relation_name(&self, oid: u32) -> Option<String> {
        let (name, visible) = self.full_relation_name(oid)?;
        Some(written(&name, visible))
    }

    /// The full name of a relation, which may be one of the system's, or an index, and whether it is found by its own name
    /// alone.
    pub fn full_relation_name(&self, oid: u32) -> Option<(ObjectName, bool)> {
        let name = match recorded::relation_by_oid(oid) {
            Some(system) => ObjectName::new(system.schema, system.name),
            None => match self.snapshot.relation_by_oid(Oid(oid)) {
                Some(relation) => relation.name().clone(),
                None => {
                    let (table, index) = self.index(oid)?;
                    ObjectName::new(table.name.schema.as_str(), index.name)
                }
            },
        };
        let found = self.relation_number(std::slice::from_ref(&name.name));
        Some((name, found == Some(oid)))
    }

    /// The schema of the session's temporary objects.
    pub fn temporary_schema(&self) -> &str {
        &self.temporary_schema
    }

    /// The check of a domain with this number.
    pub fn domain_check(&self, oid: u32) -> Option<&DomainCheck> {
        if oid < types::FIRST_COMPUTED_OID {
            return None;
        }
        self.snapshot.user_types().find_map(|ty| {
            let UserTypeKind::Domain(domain) = &ty.kind else { return None };
            let mut checks = domain.checks.iter().zip(0..);
            checks.find(|(_, place)| member_oid(ty.oid, *place) == oid).map(|(check, _)| check)
        })
    }

    /// The table that has the index with this number, and the index.
    pub fn index(&self, oid: u32) -> Option<(&Arc<HotTable>, ShownIndex<'_>)> {
        let indexes = self.indexes.get_or_init(|| {
            let mut indexes = HashMap::new();
            for table in self.snapshot.hot_tables() {
                for (place, index) in table.indexes().enumerate() {
                    indexes.insert(index.oid, (table.clone(), place));
                }
            }
            indexes
        });
        let (table, place) = indexes.get(&Oid(oid))?;
        Some((table, table.indexes().nth(*place)?))
    }

    /// The table that has the constraint with this number, and the constraint.
    pub fn constraint(&self, oid: u32) -> Option<(&Arc<HotTable>, &Constraint)> {
        let constraints = self.constraints.get_or_init(|| {
            let mut constraints = HashMap::new();
            for table in self.snapshot.hot_tables() {
                for (place, constraint) in table.constraints.iter().enumerate() {
                    constraints.insert(constraint.oid, (table.clone(), place));
                }
            }
            constraints
        });
        let (table, place) = constraints.get(&Oid(oid))?;
        Some((table, table.constraints.get(*place)?))
    }

    /// How a type is called where the search path is this one.
    fn type_name(&self, oid: u32, name: &ObjectName) -> String {
        let found = self.candidates(std::slice::from_ref(&name.name)).iter().find_map(|name| self.type_of_name(name));
        let hidden = types::number_of_name(&name.name).is_some();
        written(name, found == Some(oid) && !hidden)
    }

    /// The number of a schema.
    pub fn schema_number(&self, name: &str) -> Option<u32> {
        match name {
            PG_CATALOG => return Some(types::PG_CATALOG_OID),
            INFORMATION_SCHEMA => return Some(types::INFORMATION_SCHEMA_OID),
            _ => {}
        }
        self.snapshot.schema(name).map(|schema| schema.oid.0)
    }

    /// The name of the schema with this number.
    pub fn schema_name(&self, oid: u32) -> Option<String> {
        match oid {
            types::PG_CATALOG_OID => return Some(PG_CATALOG.to_owned()),
            types::INFORMATION_SCHEMA_OID => return Some(INFORMATION_SCHEMA.to_owned()),
            _ => {}
        }
        self.snapshot.schemas().find(|schema| schema.oid.0 == oid).map(|schema| quoted_identifier(&schema.name))
    }

    /// The external schemas, which `pg_foreign_server` has.
    pub fn external_schemas(&self) -> impl Iterator<Item = &Schema> {
        let is_external = |schema: &&Schema| matches!(schema.kind, SchemaKind::External(_));
        self.snapshot.schemas().map(AsRef::as_ref).filter(is_external)
    }

    /// What is said about something.
    pub fn comment(&self, commented: Commented) -> Option<&str> {
        self.snapshot.comment(commented)
    }

    /// The number of a role.
    pub fn role_number(&self, name: &str) -> Option<u32> {
        self.snapshot.role(name).map(|role| role.oid.0)
    }

    /// The name of the role with this number.
    pub fn role_name(&self, oid: u32) -> Option<String> {
        self.snapshot.role_by_oid(Oid(oid)).map(|role| quoted_identifier(&role.name))
    }
}

fn written(name: &ObjectName, visible: bool) -> String {
    match visible {
        true => quoted_identifier(&name.name),
        false => format!("{}.{}", quoted_identifier(&name.schema), quoted_identifier(&name.name)),
    }
}

impl Definition {
    /// The type of columns of it.
    pub fn sql_type(&self) -> SqlType {
        match self {
            Definition::User(ty) => ty.sql_type(),
            Definition::Array(ty) => ty.array_sql_type(),
            Definition::Row(relation) => {
                let fields = relation.columns().map(|(name, sql_type)| (name.to_owned(), sql_type.clone())).collect();
                SqlType::User(UserSqlType::new(relation.oid(), Carried::Record(fields)))
            }
        }
    }

    /// The name as `format_type` prints it.
    pub fn name(&self) -> String {
        let name = |oid: Oid, name: &ObjectName| match current() {
            Some(names) => names.type_name(oid.0, name),
            None => written(name, false),
        };
        match self {
            Definition::User(ty) => name(ty.oid, &ty.name),
            Definition::Array(ty) => format!("{}[]", name(ty.oid, &ty.name)),
            Definition::Row(relation) => name(relation.oid(), relation.name()),
        }
    }

    /// The name without its schema, as it names columns.
    pub fn bare_name(&self) -> &str {
        match self {
            Definition::User(ty) | Definition::Array(ty) => &ty.name.name,
            Definition::Row(relation) => &relation.name().name,
        }
    }

    /// Whether its values are labels.
    pub fn is_enum(&self) -> bool {
        matches!(self, Definition::User(ty) if matches!(ty.kind, UserTypeKind::Enum(_)))
    }

    /// Whether its values are records.
    pub fn is_composite(&self) -> bool {
        match self {
            Definition::User(ty) => matches!(ty.kind, UserTypeKind::Composite(_)),
            Definition::Array(_) => false,
            Definition::Row(_) => true,
        }
    }

    /// The type that a domain narrows.
    pub fn domain_base(&self) -> Option<SqlType> {
        match self {
            Definition::User(ty) => match &ty.kind {
                UserTypeKind::Domain(domain) => Some(domain.base.clone()),
                _ => None,
            },
            _ => None,
        }
    }
}
