//! The shape of `pg_catalog` and `information_schema`: every relation and column that PostgreSQL has.

use tokio_postgres::NoTls;

use crate::client::value;
use crate::support::server::TestServer;

/// What PostgreSQL has: `sql-tests/record-system-catalog` records it.
const RECORDED: &str = include_str!("../../../server/pg/src/recorded/relations.tsv");
/// `anyarray`, of which there are no values here: texts or arrays of them stand for it.
const ANYARRAY: u32 = 2277;
/// Arrays of the rows of `pg_statistic`.
const STATISTICS: u32 = 10028;

/// A relation: its name, and the names and types of its columns.
type Shape<'a> = (String, Vec<(&'a str, u32)>);

fn recorded() -> Vec<Shape<'static>> {
    let mut shapes: Vec<Shape<'_>> = Vec::new();
    for line in RECORDED.lines() {
        match line.split('\t').collect::<Vec<_>>().as_slice() {
            ["", name, ty, ..] => shapes.last_mut().unwrap().1.push((name, ty.parse().unwrap())),
            [schema, name, ..] => shapes.push((format!("{schema}.{name}"), Vec::new())),
            _ => {}
        }
    }
    shapes
}

#[tokio::test]
async fn every_relation_has_the_columns_that_postgresql_has() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    let shapes = recorded();
    assert!(shapes.len() > 200, "{}", shapes.len());
    let mut wrong = Vec::new();
    for (relation, columns) in shapes {
        let prepared = match client.prepare(&format!("SELECT * FROM {relation}")).await {
            Ok(prepared) => prepared,
            Err(error) => {
                wrong.push(format!("{relation}: {error:?}"));
                continue;
            }
        };
        let here: Vec<_> = prepared.columns().iter().map(|it| (it.name(), it.type_().oid())).collect();
        let is_same = |(recorded, here): (&(&str, u32), &(&str, u32))| {
            recorded.0 == here.0 && (recorded.1 == here.1 || matches!(recorded.1, ANYARRAY | STATISTICS))
        };
        if columns.len() != here.len() || !columns.iter().zip(&here).all(is_same) {
            wrong.push(format!("{relation}: {columns:?} in PostgreSQL, {here:?} here"));
        }
        let read = client.query(&format!("SELECT count(*) FROM (SELECT * FROM {relation}) it"), &[]).await;
        if let Err(error) = read {
            wrong.push(format!("{relation}: {error:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn everybody_reads_the_system_relations_but_those_with_passwords() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE ROLE eva LOGIN PASSWORD 'apple'").await.unwrap();
    let mut eva = server.config();
    eva.user("eva").password("apple");
    let eva = server.try_connect(&eva, NoTls).await.unwrap();
    let mut refused = Vec::new();
    for (relation, _) in recorded() {
        match eva.query(&format!("SELECT count(*) FROM {relation}"), &[]).await {
            Ok(_) => {}
            Err(error) => refused.push(format!("{relation} {}", error.code().unwrap().code())),
        }
    }
    assert_eq!(refused, ["pg_catalog.pg_authid 42501", "pg_catalog.pg_shadow 42501"]);
    assert_eq!(value(&eva, "SELECT passwd FROM pg_user WHERE usename = 'eva'").await, "********");
}

#[tokio::test]
async fn passwords_are_not_seen_in_what_others_do() {
    let server = TestServer::builder().start().await;
    let (client, other) = (server.connect().await, server.connect().await);
    let query = "SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
    for (statement, seen) in [
        ("create role eva login password 'apple'", "create role eva login password"),
        ("SELECT 1; ALTER USER eva PASSWORD /* */ $$pear$$", "SELECT 1; ALTER USER eva PASSWORD"),
        ("ALTER ROLE nobody PASSWORD 'plum'", "ALTER ROLE nobody PASSWORD"),
        ("ALTER GROUP eva PASSWORD 'never parsed", "ALTER GROUP eva PASSWORD"),
        ("SELECT 'create' AS password, 'a'", "SELECT 'create' AS password, 'a'"),
    ] {
        let _ = other.batch_execute(statement).await;
        assert_eq!(value(&client, query).await, seen);
    }
}

#[tokio::test]
async fn what_others_do_is_seen_and_can_be_ended() {
    let server = TestServer::builder().start().await;
    let (client, other) = (server.connect().await, server.connect().await);
    let state = "SELECT state FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
    let ends = "SELECT host(inet_client_addr()) = host(a.client_addr) AND inet_client_port() = a.client_port \
                AND host(inet_server_addr()) = '127.0.0.1' FROM pg_stat_activity a WHERE pid = pg_backend_pid()";
    assert_eq!(value(&client, ends).await, "t");
    assert_eq!(value(&client, "SELECT inet_server_port()").await, server.port().to_string());
    other.batch_execute("BEGIN").await.unwrap();
    assert_eq!(value(&client, state).await, "idle in transaction");
    assert_eq!(value(&client, "SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()").await, "BEGIN");

    let signal = |function: &str| {
        format!("SELECT bool_and({function}(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    };
    let sleeping = tokio::spawn(async move {
        let error = other.batch_execute("SELECT pg_sleep(100000)").await.unwrap_err();
        (other, error)
    });
    while value(&client, state).await != "active" {}
    assert_eq!(value(&client, &signal("pg_cancel_backend")).await, "t");
    let (other, error) = sleeping.await.unwrap();
    assert_eq!(error.code().unwrap().code(), "57014");

    other.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(value(&client, &signal("pg_terminate_backend")).await, "t");
    assert!(other.batch_execute("SELECT 1").await.is_err());
    assert_eq!(value(&client, "SELECT pg_cancel_backend(0)").await, "f");
}
