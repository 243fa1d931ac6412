//! The shape of `pg_catalog` and `information_schema`: every relation and column that PostgreSQL has.

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
async fn what_others_do_is_seen_and_can_be_ended() {
    let server = TestServer::builder().start().await;
    let (client, other) = (server.connect().await, server.connect().await);
    let state = "SELECT state FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
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
