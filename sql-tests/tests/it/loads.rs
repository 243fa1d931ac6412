//! Loads that meet each other or a crash, and what a client is told of rows that were left out.

use object_store::local::LocalFileSystem;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::client::{error, value};
use crate::fixtures;
use crate::support::raw::{self, Answer};
use crate::support::server::TestServer;

/// A folder of files and its URL.
async fn files() -> (TempDir, String) {
    let root = tempfile::tempdir().unwrap();
    fixtures::put_all(&LocalFileSystem::new_with_prefix(root.path()).unwrap(), "").await;
    let url = format!("file://{}", root.path().canonicalize().unwrap().display());
    (root, url)
}

async fn start(root: &TempDir, data: Option<&TempDir>) -> TestServer {
    let server = TestServer::builder().arg("--external-root").arg(root.path());
    match data {
        Some(data) => server.data_dir(data.path()).start().await,
        None => server.start().await,
    }
}

/// Warnings that come with the answer to a query string, each with its detail.
async fn warnings(socket: &mut TcpStream, sql: &str) -> Vec<(String, String)> {
    raw::send(socket, &raw::message(b'Q', format!("{sql}\0").as_bytes())).await;
    let answers = raw::read_to(socket, b'Z').await;
    let is_warning = |answer: &&Answer| answer.kind == b'N' && answer.field(b'S').as_deref() == Some("WARNING");
    let told = |answer: &Answer| (answer.field(b'M').unwrap(), answer.field(b'D').unwrap_or_default());
    answers.iter().filter(is_warning).map(told).collect()
}

#[tokio::test]
async fn what_is_left_out_is_told_once_with_the_statement() {
    let (root, url) = files().await;
    let server = start(&root, None).await;
    let mut socket = raw::sent(&server, &raw::startup_of("thermocline")).await;
    raw::read_to(&mut socket, b'Z').await;
    let create = format!(
        "CREATE EXTERNAL SCHEMA lake; CREATE EXTERNAL TABLE lake.t (id smallint, name varchar(6), amount integer) \
         STORED AS CSV LOCATION '{url}/faulty/csv/' TABLE PROPERTIES ('column_count_mismatch_handling'='fail')"
    );
    assert_eq!(warnings(&mut socket, &create).await, []);

    warnings(&mut socket, "SET thermocline.on_bad_data = skip_row").await;
    let example = format!(
        "For example, column \"id\" in line 2 of file \"{url}/faulty/csv/a.csv\": \
         invalid input syntax for type smallint: \"2x\"."
    );
    let rows = ("skipped what cannot be read: 8 rows".to_owned(), example.clone());
    let both = "SELECT * FROM lake.t; SELECT 1";
    assert_eq!(warnings(&mut socket, both).await, [rows]);
    // What a statement that fails has left out is not told with the next one.
    assert_eq!(warnings(&mut socket, "SELECT 1 / (id - 10) FROM lake.t").await, []);
    assert_eq!(warnings(&mut socket, "SELECT 1").await, []);
    // Each FETCH tells what has been left out since the one before.
    let declare = "BEGIN; DECLARE c CURSOR FOR SELECT id FROM lake.t";
    let mut told = warnings(&mut socket, declare).await;
    for fetch in ["FETCH 1 FROM c", "FETCH ALL FROM c", "COMMIT"] {
        told.extend(warnings(&mut socket, fetch).await);
    }
    let counts = told.iter().map(|(message, _)| message.split(' ').rev().nth(1).unwrap().parse::<u64>().unwrap());
    assert_eq!(counts.sum::<u64>(), 8, "{told:?}");

    warnings(&mut socket, "SET thermocline.on_bad_data = skip_file").await;
    let file = ("skipped what cannot be read: the rest of 1 file".to_owned(), example);
    assert_eq!(warnings(&mut socket, "SELECT count(*) FROM lake.t").await, [file]);
}

#[tokio::test]
async fn of_two_loads_of_a_file_one_is_refused() {
    let (root, url) = files().await;
    let server = start(&root, None).await;
    let (first, second) = (server.connect().await, server.connect().await);
    first.batch_execute("CREATE TABLE t (id integer, how text)").await.unwrap();
    let copy = format!("COPY t FROM '{url}/packed/e.csv' CSV");
    first.batch_execute(&format!("BEGIN; {copy}")).await.unwrap();
    second.batch_execute(&copy).await.unwrap();
    assert!(error(&first, "COMMIT").await.is("40001"));
    assert_eq!(value(&first, "SELECT count(*) FROM t").await, "1");
    // Who wants it twice has it.
    first.batch_execute(&format!("BEGIN; {copy} FORCE")).await.unwrap();
    second.batch_execute(&format!("{copy} FORCE")).await.unwrap();
    first.batch_execute("COMMIT").await.unwrap();
    assert_eq!(value(&first, "SELECT count(*) FROM t").await, "3");
}

#[tokio::test]
async fn what_was_loaded_outlives_a_kill() {
    let (root, url) = files().await;
    let data = tempfile::tempdir().unwrap();
    let copy = format!("COPY t FROM '{url}/packed/' CSV");
    let mut server = start(&root, Some(&data)).await;
    let client = server.connect().await;
    client.batch_execute(&format!("CREATE TABLE t (id integer, how text); {copy}")).await.unwrap();
    server.kill_hard();

    let server = start(&root, Some(&data)).await;
    let client = server.connect().await;
    client.batch_execute(&copy).await.unwrap();
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "5");
    assert_eq!(value(&client, "SELECT count(*) FROM thermocline.loaded_files").await, "5");
}
