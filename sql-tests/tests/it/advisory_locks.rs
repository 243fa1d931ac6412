//! Advisory locks: what one session has locked, others wait for.
//!
//! As in `locks`, the answers are the same whatever the order in which two sessions come to a lock.

use tokio_postgres::Client;

use crate::client::{SqlError, error, value};
use crate::support::server::TestServer;

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn two_sessions() -> (TestServer, Client, Client) {
    let server = TestServer::builder().start().await;
    let (first, second) = (server.connect().await, server.connect().await);
    (server, first, second)
}

#[tokio::test]
async fn a_lock_is_waited_for_until_it_is_unlocked() {
    let (_server, first, second) = two_sessions().await;
    run(&first, "SELECT pg_advisory_lock(1), pg_advisory_lock(0, 1)").await;
    assert_eq!(value(&second, "SELECT pg_try_advisory_lock(1)").await, "f");
    assert_eq!(value(&second, "SELECT pg_try_advisory_lock_shared(0, 1)").await, "f");
    // One number is another lock than two.
    assert_eq!(value(&second, "SELECT pg_try_advisory_lock(4294967297)").await, "t");
    let unlock = async { assert_eq!(value(&first, "SELECT pg_advisory_unlock(1)").await, "t") };
    tokio::join!(run(&second, "SELECT pg_advisory_lock(1)"), unlock);
    assert_eq!(value(&first, "SELECT pg_try_advisory_lock(1)").await, "f");
    let unlock = async { assert_eq!(value(&first, "SELECT pg_advisory_unlock(0, 1)").await, "t") };
    tokio::join!(run(&second, "SELECT pg_advisory_lock_shared(0, 1)"), unlock);
    assert_eq!(value(&first, "SELECT pg_try_advisory_lock_shared(0, 1)").await, "t");
    assert_eq!(value(&first, "SELECT pg_try_advisory_lock(0, 1)").await, "f");
}

#[tokio::test]
async fn a_sessions_lock_outlives_its_transaction_and_goes_with_the_session() {
    let (_server, first, second) = two_sessions().await;
    run(&first, "BEGIN; SELECT pg_advisory_lock(1), pg_advisory_xact_lock(2); ROLLBACK").await;
    assert_eq!(value(&second, "SELECT pg_try_advisory_lock(1)").await, "f");
    assert_eq!(value(&second, "SELECT pg_try_advisory_lock(2)").await, "t");
    let leave = async { drop(first) };
    tokio::join!(run(&second, "SELECT pg_advisory_lock(1)"), leave);
    run(&second, "DISCARD ALL").await;
    assert_eq!(value(&second, "SELECT pg_advisory_unlock(1)").await, "f");
}

#[tokio::test]
async fn a_transactions_lock_goes_with_the_transaction() {
    let (_server, first, second) = two_sessions().await;
    run(&first, "BEGIN; SELECT pg_advisory_xact_lock(1); SAVEPOINT s; SELECT pg_advisory_xact_lock(2)").await;
    assert_eq!(value(&second, "SELECT pg_try_advisory_xact_lock(1)").await, "f");
    assert_eq!(value(&second, "SELECT pg_try_advisory_xact_lock(2)").await, "f");
    assert_eq!(value(&first, "SELECT pg_advisory_unlock(1)").await, "f");
    run(&first, "ROLLBACK TO s").await;
    assert_eq!(value(&second, "SELECT pg_try_advisory_xact_lock(1)").await, "f");
    assert_eq!(value(&second, "SELECT pg_try_advisory_xact_lock(2)").await, "t");
    let commit = async { run(&first, "COMMIT").await };
    // What a statement of its own locks is unlocked with it.
    tokio::join!(run(&second, "SELECT pg_advisory_xact_lock(1)"), commit);
    assert_eq!(value(&first, "SELECT pg_try_advisory_lock(1)").await, "t");
    run(&second, "BEGIN; SELECT pg_advisory_xact_lock(3)").await;
    assert!(error(&second, "SELECT 1 / 0").await.is("22012"));
    assert_eq!(value(&first, "SELECT pg_try_advisory_lock(3)").await, "t");
}

#[tokio::test]
async fn a_wait_ends_with_its_time_limit_or_a_cancel_request() {
    let (server, first, second) = two_sessions().await;
    run(&first, "SELECT pg_advisory_lock(1)").await;
    run(&second, "SET lock_timeout = '20ms'").await;
    assert!(error(&second, "SELECT pg_advisory_lock(1)").await.is("55P03"));
    assert!(error(&second, "SELECT pg_advisory_xact_lock_shared(x) FROM (VALUES (2), (1)) AS t (x)").await.is("55P03"));
    let limited = "SET lock_timeout = 0; SET statement_timeout = '20ms'; SELECT pg_advisory_lock(1)";
    assert!(error(&second, limited).await.is("57014"));
    run(&second, "SET lock_timeout = 0").await;
    let waiting = second.simple_query("SELECT pg_advisory_lock(1)");
    assert!(SqlError::from(server.cancelled(&second, waiting).await).is("57014"));
    // Who does not wait any more is in nobody's way.
    assert_eq!(value(&first, "SELECT pg_try_advisory_lock(2)").await, "t");
    run(&first, "SELECT pg_advisory_unlock_all()").await;
    assert_eq!(value(&second, "SELECT pg_try_advisory_lock(1)").await, "t");
}

#[tokio::test]
async fn of_two_who_wait_for_each_other_one_is_told() {
    let (_server, first, second) = two_sessions().await;
    run(&first, "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)").await;
    for want in ["SELECT pg_advisory_lock(1)", "UPDATE t SET n = n + 1"] {
        run(&first, "BEGIN; UPDATE t SET n = 5; SELECT pg_advisory_lock(1)").await;
        run(&second, "BEGIN; SELECT pg_advisory_lock(2)").await;
        let cross = async |client: &Client, sql: &str| {
            let outcome = client.batch_execute(sql).await.map_err(SqlError::from);
            run(client, "ROLLBACK; SELECT pg_advisory_unlock_all()").await;
            outcome
        };
        let outcomes: [_; 2] = tokio::join!(cross(&first, "SELECT pg_advisory_lock(2)"), cross(&second, want)).into();
        let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert!(refused.len() == 1 && refused[0].is("40P01"), "{want}: {outcomes:?}");
    }
}

#[tokio::test]
async fn others_see_who_holds_what() {
    let (_server, first, second) = two_sessions().await;
    run(&first, "CREATE TABLE seen (a int PRIMARY KEY); INSERT INTO seen VALUES (1)").await;
    run(&first, "SELECT pg_advisory_lock(4294967298), pg_advisory_lock_shared(-1, 7)").await;
    run(&first, "BEGIN; UPDATE seen SET a = 2").await;
    let process = value(&first, "SELECT pg_backend_pid()").await;
    let held = format!(
        "SELECT string_agg(concat_ws(' ', locktype, relation::regclass, classid, objid, objsubid, mode, granted), ', ' \
         ORDER BY locktype, objsubid) FROM pg_locks WHERE pid = {process} AND locktype <> 'transactionid'"
    );
    let expected = "advisory 1 2 1 ExclusiveLock t, advisory 4294967295 7 2 ShareLock t, \
                    relation seen RowExclusiveLock t";
    assert_eq!(value(&second, &held).await, expected);
    run(&first, "COMMIT; SELECT pg_advisory_unlock_all()").await;
    assert_eq!(value(&second, "SELECT count(*) FROM pg_locks").await, "0");
}
