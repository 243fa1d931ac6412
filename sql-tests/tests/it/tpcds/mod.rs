//! TPC-DS's 99 queries over hot and external tables at once, against the answers that PostgreSQL gave.
//!
//! Most tables are hot and filled through COPY; the largest are Parquet in object storage. The queries are those below
//! `tpcds/`, PostgreSQL's answers are beside them: `record-tpc` loads the same rows into a PostgreSQL and writes them down.

mod tables;

use std::path::Path;

use object_store::ObjectStore;
use tokio_postgres::Client;

use self::tables::Table;
use crate::client::copy_in;
use crate::fixtures;
use crate::recorded::plan::settle;
use crate::recorded::{RecordedQuery, postgresql};
use crate::support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use crate::support::server::TestServer;

const QUERIES: usize = 99;

/// The tables that are external: facts, and dimensions with texts of fixed and of varying length.
const EXTERNAL_TABLES: [&str; 5] = ["catalog_sales", "customer_demographics", "inventory", "item", "store_sales"];

const BUCKET: &str = "tpcds";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_queries_answer_as_postgresql_does() {
    let s3 = S3Server::start().await;
    s3.create_bucket(BUCKET);
    let server = TestServer::builder()
        .env("THERMOCLINE_S3_ENDPOINT", s3.endpoint())
        .env("THERMOCLINE_S3_REGION", REGION)
        .env("THERMOCLINE_S3_ACCESS_KEY_ID", ACCESS_KEY)
        .env("THERMOCLINE_S3_SECRET_ACCESS_KEY", SECRET_KEY)
        .start()
        .await;
    let client = server.connect().await;
    fill_tables(&client, &*s3.object_store(BUCKET)).await;
    client.batch_execute("SET search_path TO public, lake").await.unwrap();

    let queries = RecordedQuery::of_folder("tpcds");
    assert_eq!(queries.len(), QUERIES);
    let mut failures = Vec::new();
    for query in &queries {
        assert!(!query.recorded().rows.is_empty(), "{} shows nothing at this scale", query.name);
        failures.extend(query.difference(&client).await);
    }
    let passed = QUERIES - failures.len();
    assert!(failures.is_empty(), "{passed} of {QUERIES} queries passed\n{}", failures.join("\n"));

    settle(&client).await;
    for query in &queries {
        failures.extend(query.plan_difference(&client).await);
    }
    assert!(failures.is_empty(), "plans have changed, see sql-tests/record-plans\n{}", failures.join("\n"));
}

#[tokio::test]
#[ignore = "writes what PostgreSQL answers; sql-tests/record-tpc runs it"]
async fn record_tpcds() {
    let client = postgresql("tpcds").await;
    for table in tables::all() {
        fill_hot_table(&client, &table).await;
    }
    client.batch_execute("ANALYZE").await.unwrap();
    for query in RecordedQuery::of_folder("tpcds") {
        query.record(&client).await;
    }
}

async fn fill_tables(client: &Client, store: &dyn ObjectStore) {
    client.batch_execute("CREATE EXTERNAL SCHEMA lake FROM DATA CATALOG DATABASE 'tpcds'").await.unwrap();
    for table in tables::all() {
        if EXTERNAL_TABLES.contains(&table.name) {
            fill_external_table(client, store, &table).await;
        } else {
            fill_hot_table(client, &table).await;
        }
    }
}

async fn fill_hot_table(client: &Client, table: &Table) {
    let name = table.name;
    client.batch_execute(&format!("CREATE TABLE {name} ({})", columns(name))).await.unwrap();
    let copied = copy_in(client, &format!("COPY {name} FROM STDIN (FORMAT csv)"), table.csv()).await;
    assert_eq!(copied.unwrap(), table.rows.num_rows() as u64, "{name}");
}

async fn fill_external_table(client: &Client, store: &dyn ObjectStore, table: &Table) {
    let name = table.name;
    fixtures::put(store, &format!("{name}/part-0.parquet"), fixtures::file(&table.rows)).await;
    let create = format!(
        "CREATE EXTERNAL TABLE lake.{name} ({}) STORED AS PARQUET LOCATION 's3://{BUCKET}/{name}/'",
        columns(name)
    );
    client.batch_execute(&create).await.unwrap();
}

/// The columns of a table, as `tpcds/tables.ddl` defines them.
fn columns(table: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tpcds/tables.ddl");
    let definitions = std::fs::read_to_string(path).unwrap();
    let (_, definition) = definitions.split_once(&format!("CREATE TABLE {table} (")).unwrap();
    definition.split_once("\n);").unwrap().0.to_owned()
}
