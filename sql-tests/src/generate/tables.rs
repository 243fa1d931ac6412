//! The tables of generated statements, made alike on both servers.

use std::io;

use super::random::Random;
use super::related::related_statements;
use super::types::{SqlType, TYPES};
use crate::answer::Answer;
use crate::session::{Address, Session};

/// The schema of the tables.
const SCHEMA: &str = "generated";

/// Rows of the table of edge values: more than any type has values.
const EDGE_ROWS: usize = 17;

/// Rows of each table for queries: few enough for joins of three.
const QUERY_ROWS: usize = 14;

/// A statement that takes longer has no answer on this server.
const STATEMENT_TIMEOUT_MS: usize = 5_000;

/// A table's columns.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Names and types of the columns.
    pub columns: Vec<(String, u32)>,
}

/// The table with a column of each type.
pub const EDGES: &str = "edges";

/// The tables for queries, and the types of their columns by name.
const QUERY_TABLES: [(&str, [(&str, &str); 5]); 3] = [
    ("t1", [("a", "integer"), ("b", "text"), ("c", "numeric"), ("d", "date"), ("e", "boolean")]),
    (
        "t2",
        [
            ("a", "integer"),
            ("b", "text"),
            ("f", "bigint"),
            ("g", "double precision"),
            ("h", "timestamp without time zone"),
        ],
    ),
    ("t3", [("a", "smallint"), ("b", "character varying"), ("c", "numeric"), ("i", "interval"), ("e", "boolean")]),
];

/// Values of the tables for queries: few, so that joins and groups find something.
fn query_values(name: &str) -> &'static [&'static str] {
    match name {
        "integer" | "smallint" | "bigint" => &["0", "1", "2", "3", "-1", "10"],
        "text" | "character varying" => &["", "a", "b", "ab", "B", "ä"],
        "numeric" => &["0.00", "1.50", "-2.25", "10.00", "3.00"],
        "date" => &["2024-02-29", "2024-01-01", "1999-12-31", "2000-06-15"],
        "timestamp without time zone" => &["2024-02-29 12:00", "2024-01-01 00:00", "1999-12-31 23:59:59.5"],
        "double precision" => &["0", "1.5", "-0.25", "4"],
        "interval" => &["1 day", "2 hours", "1 month"],
        _ => &["t", "f"],
    }
}

/// What is known about the tables that both servers have.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The table of edge values.
    pub edges: Table,
    /// The tables for queries.
    pub queried: Vec<Table>,
}

/// Makes the tables on both, and tells what they have in common: a type that a table of one cannot have is left out.
pub fn create(postgres: &mut Session, ours: &mut Session) -> io::Result<Tables> {
    for session in [&mut *postgres, &mut *ours] {
        session.run(&format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))?;
        session.run(&format!("CREATE SCHEMA {SCHEMA}"))?;
        prepare(session)?;
    }
    let mut stored = Vec::new();
    for it in &TYPES {
        let probe = format!("CREATE TABLE probe_{} (a {})", it.column(), it.name);
        let refused = [&mut *postgres, &mut *ours].map(|session| session.run(&probe));
        if refused.into_iter().all(|answer| matches!(answer, Ok(Answer::Command(_)))) {
            stored.push(it);
        }
    }
    let mut statements = edge_statements(&stored);
    statements.extend(query_statements());
    statements.extend(related_statements());
    for statement in &statements {
        for session in [&mut *postgres, &mut *ours] {
            if let Answer::Error(error) = session.run(statement)? {
                return Err(io::Error::other(format!("{error}\nin {statement}")));
            }
        }
    }
    let columns = stored.iter().map(|it| (it.column(), it.oid)).collect();
    Ok(Tables { edges: Table { name: EDGES, columns }, queried: query_tables() })
}

/// A session that sees the tables.
pub fn connect(address: &Address) -> io::Result<Session> {
    let mut session = Session::connect(address)?;
    prepare(&mut session)?;
    Ok(session)
}

fn prepare(session: &mut Session) -> io::Result<()> {
    session.run(&format!("SET search_path TO {SCHEMA}"))?;
    // Tables are small here; the order of joins is to be chosen all the same. PostgreSQL keeps what it does not know.
    session.run("SET thermocline.join_order_rows_min = 0")?;
    session.run("SET thermocline.eager_aggregation = always")?;
    // A server without this setting is no worse off: its statements are given up by the client.
    session.run(&format!("SET statement_timeout = {STATEMENT_TIMEOUT_MS}"))?;
    Ok(())
}

fn edge_statements(types: &[&SqlType]) -> Vec<String> {
    let columns: Vec<_> = types.iter().map(|it| format!("{} {}", it.column(), it.name)).collect();
    let mut statements = vec![format!("CREATE TABLE {EDGES} (id integer, {})", columns.join(", "))];
    for row in 0..EDGE_ROWS {
        let value = |it: &&SqlType| match it.values.get(row % (it.values.len() + 1)) {
            Some(value) => format!("'{}'", stored(it.name, value).replace('\'', "''")),
            None => "NULL".to_owned(),
        };
        let values: Vec<_> = types.iter().map(value).collect();
        statements.push(format!("INSERT INTO {EDGES} VALUES ({row}, {})", values.join(", ")));
    }
    statements
}

/// The value as a column of the type shows it on both servers: ours does not keep zeros at the end of a `numeric`.
fn stored<'a>(type_name: &str, value: &'a str) -> &'a str {
    match type_name == "numeric" && value.contains('.') {
        true => value.trim_end_matches('0').trim_end_matches('.'),
        false => value,
    }
}

fn query_tables() -> Vec<Table> {
    let table = |(name, columns): &(&'static str, [(&str, &str); 5])| {
        let column = |(column, type_name): &(&str, &str)| {
            Some(((*column).to_owned(), TYPES.iter().find(|it| it.name == *type_name)?.oid))
        };
        Table { name, columns: columns.iter().filter_map(column).collect() }
    };
    QUERY_TABLES.iter().map(table).collect()
}

fn query_statements() -> Vec<String> {
    let mut random = Random::of_batch(0, 0);
    let mut statements = Vec::new();
    for (name, columns) in &QUERY_TABLES {
        let definitions: Vec<_> = columns.iter().map(|(column, type_name)| format!("{column} {type_name}")).collect();
        statements.push(format!("CREATE TABLE {name} ({})", definitions.join(", ")));
        for _ in 0..QUERY_ROWS {
            let value = |(_, type_name): &(&str, &str)| {
                if random.percent(20) {
                    "NULL".to_owned()
                } else {
                    let value = *random.pick(query_values(type_name));
                    format!("'{}'", stored(type_name, value))
                }
            };
            let values: Vec<_> = columns.iter().map(value).collect();
            statements.push(format!("INSERT INTO {name} VALUES ({})", values.join(", ")));
        }
    }
    statements
}
