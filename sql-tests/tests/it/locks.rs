//! Transactions that want the same rows or keys: one waits for the other, and sees what it has left.
//!
//! Whatever the order in which two sessions come to a row, the answers are the same, so nothing here depends on time.

use tokio_postgres::Client;

use crate::client::{SqlError, error, value};
use crate::support::server::TestServer;

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn attempt(client: &Client, sql: &str) -> Result<(), SqlError> {
    client.batch_execute(sql).await.map_err(SqlError::from)
}

async fn two_sessions(setup: &str) -> (TestServer, Client, Client) {
    let server = TestServer::builder().start().await;
    let (first, second) = (server.connect().await, server.connect().await);
    run(&first, setup).await;
    (server, first, second)
}

const COUNTERS: &str = "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)";

#[tokio::test]
async fn an_update_waits_for_the_one_before_and_builds_on_it() {
    let (_server, first, second) = two_sessions(COUNTERS).await;
    run(&first, "BEGIN; UPDATE t SET n = n + 1 WHERE id = 1").await;
    let commit = async {
        run(&first, "UPDATE t SET n = n + 10 WHERE id = 1; COMMIT").await;
    };
    tokio::join!(run(&second, "UPDATE t SET n = n * 2 WHERE id = 1"), commit);
    assert_eq!(value(&second, "SELECT n FROM t WHERE id = 1").await, "22");

    run(&first, "BEGIN; DELETE FROM t WHERE id = 1").await;
    let rollback = async { run(&first, "ROLLBACK").await };
    tokio::join!(run(&second, "BEGIN; UPDATE t SET n = n + 1 WHERE id = 1; COMMIT"), rollback);
    assert_eq!(value(&second, "SELECT n FROM t WHERE id = 1").await, "23");
}

#[tokio::test]
async fn a_transaction_with_one_snapshot_fails_where_another_has_changed_its_row() {
    let (_server, first, second) = two_sessions(COUNTERS).await;
    run(&second, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t").await;
    run(&first, "BEGIN; UPDATE t SET n = 5 WHERE id = 1").await;
    let commit = async { run(&first, "COMMIT").await };
    let (refused, ()) = tokio::join!(attempt(&second, "UPDATE t SET n = n + 1"), commit);
    assert!(refused.unwrap_err().is("40001"));
    run(&second, "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t").await;
    run(&first, "BEGIN; UPDATE t SET n = 6 WHERE id = 1").await;
    let rollback = async { run(&first, "ROLLBACK").await };
    tokio::join!(run(&second, "UPDATE t SET n = n + 1"), rollback);
    run(&second, "COMMIT").await;
    assert_eq!(value(&first, "SELECT sum(n) FROM t").await, "7");
}

#[tokio::test]
async fn of_two_who_wait_for_each_other_one_is_told() {
    let (_server, first, second) = two_sessions(COUNTERS).await;
    run(&first, "BEGIN; UPDATE t SET n = 1 WHERE id = 1").await;
    run(&second, "BEGIN; UPDATE t SET n = 2 WHERE id = 2").await;
    let cross = async |client: &Client, id: i32| {
        let outcome = attempt(client, &format!("UPDATE t SET n = n + 10 WHERE id = {id}")).await;
        run(client, if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
        outcome
    };
    let outcomes: [_; 2] = tokio::join!(cross(&first, 2), cross(&second, 1)).into();
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(refused.len() == 1 && refused[0].is("40P01"), "{outcomes:?}");
    let (of_first, of_second) = ("1|10", "10|2");
    let left = value(&first, "SELECT string_agg(n::text, '|' ORDER BY id) FROM t").await;
    assert!(left == of_first || left == of_second, "{left}");
}

#[tokio::test]
async fn a_wait_ends_with_its_time_limit_or_a_cancel_request() {
    let (server, first, second) = two_sessions(COUNTERS).await;
    run(&first, "BEGIN; UPDATE t SET n = 1 WHERE id = 1").await;
    run(&second, "SET lock_timeout = '20ms'").await;
    assert!(error(&second, "DELETE FROM t WHERE id = 1").await.is("55P03"));
    // The setting goes back with the statement that fails.
    let limited = "SET lock_timeout = 0; SET statement_timeout = '20ms'; DELETE FROM t WHERE id = 1";
    assert!(error(&second, limited).await.is("57014"));
    let waiting = second.simple_query("SET lock_timeout = 0; DELETE FROM t WHERE id = 1");
    assert!(SqlError::from(server.cancelled(&second, waiting).await).is("57014"));
    run(&second, "DELETE FROM t WHERE id = 2").await;
    run(&first, "COMMIT").await;
    assert_eq!(value(&second, "SELECT count(*) FROM t").await, "1");
}

#[tokio::test]
async fn a_key_belongs_to_who_adds_it_first() {
    let (_server, first, second) = two_sessions(COUNTERS).await;
    run(&first, "BEGIN; INSERT INTO t VALUES (3, 1)").await;
    let commit = async { run(&first, "COMMIT").await };
    let (refused, ()) = tokio::join!(attempt(&second, "INSERT INTO t VALUES (3, 2)"), commit);
    assert!(refused.unwrap_err().is("23505"));
    run(&first, "BEGIN; INSERT INTO t VALUES (4, 1)").await;
    let rollback = async { run(&first, "ROLLBACK").await };
    tokio::join!(run(&second, "INSERT INTO t VALUES (4, 2)"), rollback);
    // Who has one snapshot does not see the row, and must not add its key again.
    run(&second, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t").await;
    run(&first, "INSERT INTO t VALUES (5, 1)").await;
    assert!(error(&second, "INSERT INTO t VALUES (5, 2)").await.is("23505"));
    run(&second, "ROLLBACK").await;
    assert_eq!(value(&first, "SELECT string_agg(id || ':' || n, ' ' ORDER BY id) FROM t").await, "1:0 2:0 3:1 4:2 5:1");
}

#[tokio::test]
async fn a_key_whose_row_is_being_deleted_may_become_free() {
    let (_server, first, second) = two_sessions(COUNTERS).await;
    run(&first, "BEGIN; DELETE FROM t WHERE id = 1").await;
    let commit = async { run(&first, "COMMIT").await };
    tokio::join!(run(&second, "INSERT INTO t VALUES (1, 5)"), commit);
    run(&first, "BEGIN; UPDATE t SET id = 9 WHERE id = 2").await;
    let commit = async { run(&first, "COMMIT").await };
    tokio::join!(run(&second, "INSERT INTO t VALUES (2, 6) ON CONFLICT DO NOTHING"), commit);
    run(&first, "BEGIN; DELETE FROM t WHERE id = 9").await;
    let rollback = async { run(&first, "ROLLBACK").await };
    let (refused, ()) = tokio::join!(attempt(&second, "INSERT INTO t VALUES (9, 7)"), rollback);
    assert!(refused.unwrap_err().is("23505"));
    assert_eq!(value(&first, "SELECT string_agg(id || ':' || n, ' ' ORDER BY id) FROM t").await, "1:5 2:6 9:0");
}

#[tokio::test]
async fn who_meets_a_key_that_is_being_added_updates_it_when_it_is_there() {
    let (_server, first, second) = two_sessions(COUNTERS).await;
    let upsert = "INSERT INTO t VALUES (7, 1) ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n";
    run(&first, &format!("BEGIN; {upsert}; {upsert}")).await;
    let commit = async { run(&first, "COMMIT").await };
    tokio::join!(run(&second, upsert), commit);
    assert_eq!(value(&first, "SELECT n FROM t WHERE id = 7").await, "3");
    let twice = "INSERT INTO t VALUES (8, 1), (8, 2) ON CONFLICT (id) DO UPDATE SET n = excluded.n";
    assert!(error(&second, twice).await.is("21000"));
}
