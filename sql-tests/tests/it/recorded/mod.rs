//! Answers of PostgreSQL, recorded in files, and their comparison with ours.

mod answer;

mod order;

pub mod plan;

mod value;

mod controls;

pub use answer::RecordedQuery;

use tokio_postgres::{Client, NoTls};

/// A session with the PostgreSQL that `POSTGRESQL_URL` names, in an empty schema.
pub async fn postgresql(schema: &str) -> Client {
    let url = std::env::var("POSTGRESQL_URL").expect("POSTGRESQL_URL names the server to ask");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let start_anew =
        format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}; SET search_path TO {schema}");
    client.batch_execute(&start_anew).await.unwrap();
    client
}
