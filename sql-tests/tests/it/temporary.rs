//! Temporary tables and the files of their rows: both go with the session, however it ends.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::client::value;
use crate::support::server::TestServer;

/// Longer than it takes to notice that a session has ended, on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// Rows that are too many to be kept in memory.
const MANY: &str = "INSERT INTO t SELECT g, 'number ' || g FROM generate_series(1, 200000) AS g";
/// The table that it is written to.
const CREATE: &str = "CREATE TEMP TABLE t (i bigint PRIMARY KEY, x text)";

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let below = |path: PathBuf| if path.is_dir() { files_below(&path) } else { vec![path] };
    entries.flat_map(|entry| below(entry.unwrap().path())).collect()
}

/// Waits until the files of a server are gone that nobody needs.
async fn wait_for_no_files(data_dir: &Path) {
    let gone = async {
        while !files_below(&data_dir.join("segments")).is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, gone).await.expect("files of temporary tables are left");
}

#[tokio::test]
async fn files_go_with_the_session_and_with_the_table() {
    let data_dir = tempfile::tempdir().unwrap();
    let server = TestServer::builder().data_dir(data_dir.path()).start().await;
    let other = server.connect().await;
    for end in ["DROP TABLE t", "TRUNCATE t", "DISCARD TEMP", "DISCARD ALL", ""] {
        let client = server.connect().await;
        client.batch_execute(&format!("{CREATE}; {MANY}")).await.unwrap();
        assert!(client.batch_execute("INSERT INTO t VALUES (77)").await.is_err());
        assert_eq!(value(&client, "SELECT count(*) FROM t").await, "200000");
        assert!(!files_below(&data_dir.path().join("segments")).is_empty());
        assert!(other.batch_execute("SELECT FROM t").await.is_err());
        match end {
            "" => drop(client),
            end => client.batch_execute(end).await.unwrap(),
        }
        wait_for_no_files(data_dir.path()).await;
    }
}

#[tokio::test]
async fn nothing_is_left_of_them_after_a_kill() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut server = TestServer::builder().data_dir(data_dir.path()).start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE kept (i int); INSERT INTO kept VALUES (1)").await.unwrap();
    client.batch_execute(&format!("{CREATE}; {MANY}")).await.unwrap();
    client.batch_execute("BEGIN; INSERT INTO t VALUES (-1); INSERT INTO kept VALUES (2); COMMIT").await.unwrap();
    server.kill_hard();
    let server = TestServer::builder().data_dir(data_dir.path()).start().await;
    assert!(files_below(&data_dir.path().join("segments")).is_empty());
    let client = server.connect().await;
    assert_eq!(value(&client, "SELECT count(*) FROM kept").await, "2");
    assert!(client.batch_execute("SELECT FROM t").await.is_err());
    client.batch_execute(CREATE).await.unwrap();
}

#[tokio::test]
async fn a_backup_has_none_of_them() {
    let root = tempfile::tempdir().unwrap();
    let server = TestServer::builder().arg("--external-root").arg(root.path()).start().await;
    let client = server.connect().await;
    client.batch_execute(&format!("{CREATE}; {MANY}; CREATE TEMP VIEW v AS SELECT i FROM t")).await.unwrap();
    client.batch_execute(&format!("BACKUP TO 'file://{}/copy'", root.path().display())).await.unwrap();
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "parquet");
    assert!(!files_below(&root.path().join("copy")).iter().any(is_segment));
}

#[tokio::test]
async fn a_prepared_statement_means_the_temporary_table_as_soon_as_there_is_one() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (i int); INSERT INTO t VALUES (1)").await.unwrap();
    let statement = client.prepare("SELECT i FROM t").await.unwrap();
    let read = async || client.query_one(&statement, &[]).await.unwrap().get::<_, i32>(0);
    assert_eq!(read().await, 1);
    client.batch_execute("CREATE TEMP TABLE t (i int); INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(read().await, 2);
    client.batch_execute("UPDATE t SET i = 3").await.unwrap();
    assert_eq!(read().await, 3);
    client.batch_execute("DROP TABLE t").await.unwrap();
    assert_eq!(read().await, 1);
}

#[tokio::test]
async fn rows_of_many_small_statements_go_to_files() {
    let data_dir = tempfile::tempdir().unwrap();
    let server = TestServer::builder().data_dir(data_dir.path()).start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TEMP TABLE t (i bigint)").await.unwrap();
    for first in (0..140_000).step_by(7_000) {
        let last = first + 7_000;
        client.batch_execute(&format!("INSERT INTO t SELECT generate_series({first}, {last} - 1)")).await.unwrap();
    }
    assert!(!files_below(&data_dir.path().join("segments")).is_empty());
    client.batch_execute("DELETE FROM t WHERE i % 2 = 0").await.unwrap();
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "70000");
    assert_eq!(value(&client, "SELECT sum(i) FROM t").await, "4900000000");
}
