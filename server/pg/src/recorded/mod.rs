//! What PostgreSQL 15 has from the start, as `sql-tests/record-system-catalog` has recorded it: what the relations of its
//! system catalogs are like, and the rows of those that do not depend on what users make. `redshift.tsv`, which is written by
//! hand, has the views of Redshift's in the same form, with numbers that PostgreSQL leaves free.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::types::{BOOL, INT2, INT4, TEXT};

/// A relation of `pg_catalog` or `information_schema`.
#[derive(Debug)]
pub struct Relation {
    /// Its schema.
    pub schema: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its number.
    pub oid: u32,
    /// Whether it is a view there.
    pub is_view: bool,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Columns behind them that are found by their names only.
    pub hidden: Vec<Column>,
}

/// A column of such a relation.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// The number of its type; of a domain, the type that it narrows.
    pub type_oid: u32,
    /// The modifier of its type, -1 when there is none.
    pub typmod: i32,
    /// Whether it is never NULL.
    pub not_null: bool,
}

/// The rows of a relation, or some columns of them.
#[derive(Debug)]
pub struct Rows {
    /// The names of the columns.
    pub columns: Vec<&'static str>,
    /// The rows: the texts of their values.
    pub rows: Vec<Vec<Option<&'static str>>>,
}

/// The files of rows.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!($name, ".tsv")))),*]
    };
}

/// What Redshift has in PostgreSQL's tables: table, column, type. Who asks for all columns is not to be told of them.
const HIDDEN: [(&str, &str, u32); 5] = [
    ("pg_class", "reldiststyle", INT2),
    ("pg_attribute", "attisdistkey", BOOL),
    ("pg_attribute", "attsortkeyord", INT4),
    ("pg_attribute", "attencodingtype", INT2),
    ("pg_attrdef", "adsrc", TEXT),
];

static RELATIONS: LazyLock<Vec<Relation>> = LazyLock::new(|| {
    let mut relations = parsed_relations(include_str!("relations.tsv"));
    for relation in relations.iter_mut().filter(|relation| relation.schema == "pg_catalog") {
        let hidden = HIDDEN.iter().filter(|(table, ..)| *table == relation.name);
        let column = |(_, name, type_oid): &(_, &'static str, u32)| Column {
            name,
            type_oid: *type_oid,
            typmod: -1,
            not_null: true,
        };
        relation.hidden.extend(hidden.map(column));
    }
    relations.extend(parsed_relations(include_str!("redshift.tsv")));
    relations
});

static BY_NAME: LazyLock<HashMap<(&str, &str), &Relation>> =
    LazyLock::new(|| RELATIONS.iter().map(|relation| ((relation.schema, relation.name), relation)).collect());

static BY_OID: LazyLock<HashMap<u32, &Relation>> =
    LazyLock::new(|| RELATIONS.iter().map(|relation| (relation.oid, relation)).collect());

static ROWS: LazyLock<HashMap<&str, Rows>> = LazyLock::new(|| {
    let files = files![
        "pg_aggregate",
        "pg_am",
        "pg_amop",
        "pg_amproc",
        "pg_cast",
        "pg_collation",
        "pg_conversion",
        "pg_description",
        "pg_language",
        "pg_namespace",
        "pg_opclass",
        "pg_operator",
        "pg_opfamily",
        "pg_proc",
        "pg_range",
        "pg_tablespace",
        "pg_type",
    ];
    files.into_iter().map(|(name, text)| (name, parsed_rows(text))).collect()
});

/// By relation, the numbers of its rows.
static NUMBERS: LazyLock<HashMap<&str, HashSet<u32>>> = LazyLock::new(|| {
    let with_numbers = ROWS.iter().filter(|(_, rows)| rows.columns.first() == Some(&"oid"));
    let numbers = |rows: &'static Rows| rows.rows.iter().filter_map(|row| row[0]?.parse().ok()).collect();
    with_numbers.map(|(name, rows)| (*name, numbers(rows))).collect()
});

/// What is said about objects, by class and number.
static DESCRIPTIONS: LazyLock<HashMap<(u32, u32), &str>> = LazyLock::new(|| {
    let Some(rows) = ROWS.get("pg_description") else { return HashMap::new() };
    let places = [rows.column("classoid"), rows.column("objoid"), rows.column("description")];
    let [Some(class), Some(object), Some(text)] = places else { return HashMap::new() };
    let said =
        |row: &Vec<Option<&'static str>>| Some(((row[class]?.parse().ok()?, row[object]?.parse().ok()?), row[text]?));
    rows.rows.iter().filter_map(said).collect()
});

/// A function: its name and the types of its arguments.
type Signature = (&'static str, Vec<u32>);

static FUNCTIONS: LazyLock<HashMap<u32, Signature>> = LazyLock::new(signatures);

static FUNCTIONS_BY_NAME: LazyLock<HashMap<&str, Vec<u32>>> = LazyLock::new(|| {
    let mut numbers: HashMap<&str, Vec<u32>> = HashMap::new();
    for (oid, (name, _)) in FUNCTIONS.iter() {
        numbers.entry(name).or_default().push(*oid);
    }
    numbers
});

/// All relations, by schema and number.
pub fn relations() -> &'static [Relation] {
    &RELATIONS
}

/// The relation of this name.
pub fn relation(schema: &str, name: &str) -> Option<&'static Relation> {
    BY_NAME.get(&(schema, name)).copied()
}

/// The relation with this number.
pub fn relation_by_oid(oid: u32) -> Option<&'static Relation> {
    BY_OID.get(&oid).copied()
}

/// The rows that a relation of `pg_catalog` has from the start, if they are recorded.
pub fn rows(relation: &str) -> Option<&'static Rows> {
    ROWS.get(relation)
}

/// Whether a row of a relation has this number.
pub fn has_number(relation: &str, oid: u32) -> bool {
    NUMBERS.get(relation).is_some_and(|numbers| numbers.contains(&oid))
}

/// What PostgreSQL says about an object of the class with this number, which are those of `pg_class`.
pub fn description(class: u32, object: u32) -> Option<&'static str> {
    DESCRIPTIONS.get(&(class, object)).copied()
}

/// The name of a function.
pub fn function_name(oid: u32) -> Option<&'static str> {
    FUNCTIONS.get(&oid).map(|(name, _)| *name)
}

/// The types of the arguments of a function.
pub fn function_arguments(oid: u32) -> Option<&'static [u32]> {
    FUNCTIONS.get(&oid).map(|(_, arguments)| arguments.as_slice())
}

/// The numbers of the functions of a name.
pub fn functions_named(name: &str) -> &'static [u32] {
    FUNCTIONS_BY_NAME.get(name).map(Vec::as_slice).unwrap_or_default()
}

impl Rows {
    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| *column == name)
    }
}

impl Relation {
    /// The place of a column, those that are hidden behind the others.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.all_columns().position(|column| column.name == name)
    }

    /// All columns, those that are hidden behind the others.
    pub fn all_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().chain(&self.hidden)
    }
}

fn signatures() -> HashMap<u32, Signature> {
    let Some(rows) = rows("pg_proc") else { return HashMap::new() };
    let (Some(name), Some(arguments)) = (rows.column("proname"), rows.column("proargtypes")) else {
        return HashMap::new();
    };
    let signature = |row: &'static Vec<Option<&str>>| {
        let types = row[arguments]?.split(' ').filter_map(|ty| ty.parse().ok()).collect();
        Some((row[0]?.parse().ok()?, (row[name]?, types)))
    };
    rows.rows.iter().filter_map(signature).collect()
}

fn parsed_relations(text: &'static str) -> Vec<Relation> {
    let mut relations: Vec<Relation> = Vec::new();
    for line in text.lines() {
        let fields: Vec<_> = line.split('\t').collect();
        match (fields.as_slice(), relations.last_mut()) {
            (["", name, type_oid, typmod, not_null], Some(relation)) => relation.columns.push(Column {
                name,
                type_oid: type_oid.parse().unwrap_or_default(),
                typmod: typmod.parse().unwrap_or(-1),
                not_null: *not_null == "t",
            }),
            ([schema, name, oid, kind], _) => {
                let (oid, is_view) = (oid.parse().unwrap_or_default(), *kind == "v");
                relations.push(Relation { schema, name, oid, is_view, columns: Vec::new(), hidden: Vec::new() });
            }
            _ => {}
        }
    }
    relations
}

fn parsed_rows(text: &'static str) -> Rows {
    let mut lines = text.lines();
    let columns = lines.next().unwrap_or_default().split('\t').collect();
    let value = |field: &'static str| (field != "\\N").then_some(field);
    Rows { columns, rows: lines.map(|line| line.split('\t').map(value).collect()).collect() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn relations_have_their_columns() {
        let class = relation("pg_catalog", "pg_class").unwrap();
        assert_eq!((class.oid, class.is_view, class.columns.len()), (1259, false, 33));
        assert_eq!(
            (class.columns[1].name, class.columns[1].type_oid, class.columns[1].not_null),
            ("relname", 19, true)
        );
        let tables = relation("information_schema", "tables").unwrap();
        assert!(tables.is_view && relation_by_oid(tables.oid).unwrap().name == "tables");
        assert!(relations().iter().all(|relation| relation.oid > 0 && !relation.columns.is_empty()));
        assert!(relations().iter().flat_map(|it| &it.columns).all(|column| column.type_oid > 0));
    }

    #[test]
    fn rows_have_a_value_for_each_column() {
        for (name, rows) in ROWS.iter() {
            let relation = relation("pg_catalog", name).unwrap();
            assert!(rows.columns.iter().all(|column| relation.column(column).is_some()), "{name}");
            assert!(rows.rows.iter().all(|row| row.len() == rows.columns.len()), "{name}");
        }
        assert_eq!(function_name(1242), Some("boolin"));
        assert_eq!(functions_named("boolin"), [1242]);
    }
}
