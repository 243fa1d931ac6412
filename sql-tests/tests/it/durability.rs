//! Processes: what has been acknowledged outlives them, and they end and refuse to start in words and exit codes.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::client::{copy_in, value};
use crate::support::server::{Signal, TestServer, TestServerBuilder};

/// Longer than any statement takes on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often a server is killed in the same data directory.
const CYCLES: i64 = 4;

/// Rows that must be acknowledged before a writer's server is killed.
const ACKNOWLEDGED_MIN: usize = 20;

async fn start_in(data_dir: &Path) -> TestServer {
    TestServer::builder().data_dir(data_dir).start().await
}

/// Rows that are too many for a commit.
const IN_A_FILE: i64 = 200_000;
/// Of these, those whose number ends with one certain digit.
const CHANGED: i64 = IN_A_FILE / 10;

#[tokio::test]
async fn rows_of_every_kind_of_write_outlive_a_kill() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut rows = 0;
    for cycle in 0..CYCLES {
        let mut server = start_in(data_dir.path()).await;
        let client = server.connect().await;
        if cycle == 0 {
            client.batch_execute("CREATE TABLE t (cycle bigint, kind text)").await.unwrap();
        }
        assert_eq!(value(&client, "SELECT count(*) FROM t").await, rows.to_string(), "cycle {cycle}");
        let changed = "SELECT count(*) FROM t WHERE kind = 'changed'";
        assert_eq!(value(&client, changed).await, (cycle * CHANGED).to_string(), "cycle {cycle}");
        rows += write_in_every_way(&client, cycle).await;
        server.kill_hard();
    }
}

/// Writes and returns how many rows were acknowledged. Leaves a transaction open, which must not count.
async fn write_in_every_way(client: &Client, cycle: i64) -> i64 {
    for _ in 0..3 {
        client.execute("INSERT INTO t VALUES ($1, 'single')", &[&cycle]).await.unwrap();
    }
    let many = format!("INSERT INTO t VALUES ({cycle}, 'many'), ({cycle}, 'many'), ({cycle}, NULL)");
    client.batch_execute(&many).await.unwrap();
    assert_eq!(copy_in(client, "COPY t FROM STDIN", format!("{cycle}\tcopy\n").repeat(1000)).await.unwrap(), 1000);
    client.batch_execute(&format!("BEGIN; {many}; {many}; COMMIT")).await.unwrap();
    // Too many for a commit: they are in a file of their own.
    let file = format!("INSERT INTO t SELECT {cycle}, 'number ' || g FROM generate_series(1, {IN_A_FILE}) AS g");
    client.batch_execute(&file).await.unwrap();
    let changed = format!("UPDATE t SET kind = 'changed' WHERE cycle = {cycle} AND kind LIKE 'number %0'");
    assert_eq!(client.execute(&changed, &[]).await.unwrap() as i64, CHANGED);
    let gone = format!("DELETE FROM t WHERE cycle = {cycle} AND (kind LIKE 'number %1' OR kind = 'single')");
    assert_eq!(client.execute(&gone, &[]).await.unwrap() as i64, CHANGED + 3);
    client.batch_execute(&format!("BEGIN; {many}; DELETE FROM t; {file}")).await.unwrap();
    3 + 1000 + 6 + IN_A_FILE - CHANGED
}

#[tokio::test]
async fn what_analyze_found_out_outlives_a_kill() {
    let data_dir = tempfile::tempdir().unwrap();
    let known =
        "SELECT string_agg(attname || n_distinct || most_common_vals::text, ' ' ORDER BY attname) FROM pg_stats";
    let mut server = start_in(data_dir.path()).await;
    let client = server.connect().await;
    let write = "CREATE TABLE t (i int, s text); INSERT INTO t SELECT g % 3, NULL FROM generate_series(1, 30) AS g;
        UPDATE t SET s = 'text' WHERE i = 1; ANALYZE t; ALTER TABLE t ADD COLUMN dropped int; ANALYZE; CREATE TABLE gone (x int);
        INSERT INTO gone VALUES (1), (1); ANALYZE gone; DROP TABLE gone; ALTER TABLE t DROP COLUMN dropped";
    client.batch_execute(write).await.unwrap();
    let before = value(&client, known).await;
    assert_eq!(before, "i3{0,1,2} s1{text}");
    client.batch_execute("BEGIN; DELETE FROM t WHERE i = 0; ANALYZE t").await.unwrap();
    server.kill_hard();
    for _ in 0..2 {
        let mut server = start_in(data_dir.path()).await;
        let client = server.connect().await;
        assert_eq!(value(&client, known).await, before);
        server.kill_hard();
    }
}

#[tokio::test]
async fn a_writer_finds_all_that_was_acknowledged_when_its_server_was_killed() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut next = 0;
    for cycle in 0..CYCLES {
        let mut server = start_in(data_dir.path()).await;
        let client = server.connect().await;
        if cycle == 0 {
            client.batch_execute("CREATE TABLE t (i bigint)").await.unwrap();
        }
        let (sender, mut acknowledged) = unbounded_channel();
        let writer = tokio::spawn(write_until_killed(client, next, sender));
        let enough = wait_for(&mut acknowledged, ACKNOWLEDGED_MIN).await;
        server.kill_hard();
        let last = timeout(DEADLINE, writer).await.unwrap().unwrap().max(enough);

        let client_after = start_in(data_dir.path()).await;
        next = check_written(&client_after.connect().await, last).await;
    }
}

/// Inserts `next`, `next + 1`, … each in a statement of its own; returns the last one that was acknowledged.
async fn write_until_killed(client: Client, mut next: i64, acknowledged: UnboundedSender<i64>) -> i64 {
    while client.execute("INSERT INTO t VALUES ($1)", &[&next]).await.is_ok() {
        // Nobody listens any more once there were enough.
        let _ = acknowledged.send(next);
        next += 1;
    }
    next - 1
}

async fn wait_for(acknowledged: &mut UnboundedReceiver<i64>, count: usize) -> i64 {
    let mut last = None;
    for _ in 0..count {
        last = timeout(DEADLINE, acknowledged.recv()).await.expect("writes go on");
    }
    last.expect("the writer had no error")
}

/// Every row up to `last` must be there once. The one after it was sent but not acknowledged: it may be there or not.
/// Returns the first number that is free.
async fn check_written(client: &Client, last: i64) -> i64 {
    let acknowledged = format!("SELECT count(*) FROM t WHERE i <= {last}");
    assert_eq!(value(client, &acknowledged).await, (last + 1).to_string());
    let distinct = format!("SELECT count(DISTINCT i) FROM t WHERE i <= {last}");
    assert_eq!(value(client, &distinct).await, (last + 1).to_string());
    let highest: i64 = value(client, "SELECT max(i) FROM t").await.parse().unwrap();
    assert!(highest == last || highest == last + 1, "{highest} after {last}");
    highest + 1
}

#[tokio::test]
async fn definitions_outlive_a_kill() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut server = start_in(data_dir.path()).await;
    let client = server.connect().await;
    client
        .batch_execute(
            "CREATE SCHEMA s; CREATE TABLE s.t (i integer); INSERT INTO s.t VALUES (1), (2); \
             CREATE VIEW s.v AS SELECT i + 1 AS j FROM s.t; CREATE TABLE s.gone (i integer); DROP TABLE s.gone",
        )
        .await
        .unwrap();
    server.kill_hard();

    let server = start_in(data_dir.path()).await;
    let client = server.connect().await;
    assert_eq!(value(&client, "SELECT sum(j) FROM s.v").await, "5");
    assert!(client.batch_execute("SELECT * FROM s.gone").await.is_err());
}

#[tokio::test]
async fn a_value_of_a_sequence_is_never_handed_out_again_after_a_kill() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for cycle in 0..CYCLES {
        let mut server = start_in(data_dir.path()).await;
        let client = server.connect().await;
        if cycle == 0 {
            client.batch_execute("CREATE SEQUENCE s; CREATE TABLE t (id serial, s bigint)").await.unwrap();
        }
        // Values that no commit keeps count too.
        client
            .batch_execute("BEGIN; INSERT INTO t (s) SELECT nextval('s') FROM generate_series(1, 5000); ROLLBACK")
            .await
            .unwrap();
        for _ in 0..3 {
            let next: i64 = value(&client, "SELECT nextval('s')").await.parse().unwrap();
            assert!(next > last, "{next} after {last}, cycle {cycle}");
            last = next;
        }
        client
            .batch_execute("INSERT INTO t (s) VALUES (1), (2); INSERT INTO t (s) VALUES (nextval('s'))")
            .await
            .unwrap();
        last = value(&client, "SELECT max(s) FROM t").await.parse().unwrap();
        server.kill_hard();
    }
    let server = start_in(data_dir.path()).await;
    let client = server.connect().await;
    assert_eq!(value(&client, "SELECT count(DISTINCT id) = count(*) FROM t").await, "t");
}

#[tokio::test]
async fn sessions_are_given_different_values_of_a_sequence() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id serial, s int)").await.unwrap();
    let mut writers = Vec::new();
    for writer in 0..4 {
        let client = server.connect().await;
        writers.push(tokio::spawn(async move {
            for number in 0..50 {
                let insert = match number % 2 {
                    0 => format!("INSERT INTO t (s) VALUES ({writer})"),
                    _ => format!("INSERT INTO t (s) SELECT {writer} FROM generate_series(1, 40)"),
                };
                client.batch_execute(&insert).await.unwrap();
            }
        }));
    }
    for writer in writers {
        timeout(DEADLINE, writer).await.unwrap().unwrap();
    }
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "4100");
    assert_eq!(value(&client, "SELECT count(DISTINCT id) FROM t").await, "4100");
}

#[tokio::test]
async fn a_request_to_stop_is_an_orderly_end() {
    for signal in [Signal::Terminate, Signal::Interrupt] {
        let data_dir = tempfile::tempdir().unwrap();
        let mut server = start_in(data_dir.path()).await;
        let client = server.connect().await;
        client.batch_execute("CREATE TABLE t (i integer); INSERT INTO t VALUES (1)").await.unwrap();
        let status = server.stop_gracefully(signal).await;
        assert_eq!(status.code(), Some(0), "{signal:?}:\n{}", server.log());
        assert!(client.batch_execute("SELECT 1").await.is_err(), "the session ends with its server");

        let server = start_in(data_dir.path()).await;
        assert_eq!(value(&server.connect().await, "SELECT count(*) FROM t").await, "1", "{signal:?}");
    }
}

#[tokio::test]
async fn a_data_directory_has_one_server() {
    let data_dir = tempfile::tempdir().unwrap();
    let first = start_in(data_dir.path()).await;
    assert_refusal(TestServer::builder().data_dir(data_dir.path()), &text(data_dir.path())).await;
    assert_eq!(value(&first.connect().await, "SELECT 1").await, "1", "the first goes on");

    drop(first);
    start_in(data_dir.path()).await;
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let first = TestServer::builder().start().await;
    let address = format!("127.0.0.1:{}", first.port());
    // The builder has given `--listen` already. Of a flag that is given twice the last counts.
    assert_refusal(TestServer::builder().arg("--listen").arg(&address), &address).await;
}

#[tokio::test]
async fn a_setting_that_is_none_is_named() {
    assert_refusal(TestServer::builder().arg("--no-such-flag"), "--no-such-flag").await;
    assert_refusal(TestServer::builder().env("THERMOCLINE_TYPO", "1"), "THERMOCLINE_TYPO").await;
    let (_folder, file) = configuration("data-dirr = \"here\"\n");
    assert_refusal(TestServer::builder().arg("--config").arg(file), "data-dirr").await;
}

#[tokio::test]
async fn a_value_that_no_setting_takes_is_named() {
    for (flag, value) in [
        ("--memory-limit", "lots"),
        ("--trusted-network", "10.0.0.0/99"),
        ("--external-root", "no-such-folder"),
        ("--config", "no-such-file.toml"),
    ] {
        assert_refusal(TestServer::builder().arg(flag).arg(value), value).await;
    }
    assert_refusal(TestServer::builder().env("THERMOCLINE_MEMORY_LIMIT", "lots"), "lots").await;
    let (_folder, file) = configuration("trusted-network = 5\n");
    assert_refusal(TestServer::builder().arg("--config").arg(file), "trusted-network").await;
}

/// The server must end with an exit code for failure, and its message must say what is wrong.
async fn assert_refusal(builder: TestServerBuilder, culprit: &str) {
    let (status, output) = builder.start_expecting_failure().await;
    assert!(status.code().is_some_and(|code| code != 0), "{status:?} because of {culprit}:\n{output}");
    assert!(output.contains(culprit), "should have named {culprit}:\n{output}");
    assert!(!output.contains("panicked"), "{output}");
}

#[tokio::test]
async fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let [flag, variable, file] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (_folder, configuration) = configuration(&format!("data-dir = '{}'\n", file.path().display()));
    let server = TestServer::builder()
        .data_dir(flag.path())
        .env("THERMOCLINE_DATA_DIR", variable.path())
        .arg("--config")
        .arg(&configuration)
        .start()
        .await;
    server.connect().await.batch_execute("CREATE TABLE t (i integer)").await.unwrap();
    assert!(is_used(flag.path()) && !is_used(variable.path()) && !is_used(file.path()));
}

fn is_used(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_some()
}

/// A configuration file, in a folder that goes away.
fn configuration(content: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, content).unwrap();
    (folder, text(&file))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
