//! What goes wrong, and what the client is told: the code, the place, and never a secret. The session goes on each time.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use tokio_postgres::Client;

use crate::client::{SqlError, error, rows, value};
use crate::fixtures;
use crate::support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use crate::support::server::TestServer;

/// The bucket that is there.
const BUCKET: &str = "errors";

/// A secret that does not belong to the access key.
const WRONG_SECRET_KEY: &str = "not-the-secret-key";

/// A store with files, a server that may read them, and a session of it.
struct Scene {
    _s3: S3Server,
    server: TestServer,
    client: Client,
}

impl Scene {
    async fn start(secret_key: &str) -> Scene {
        let s3 = S3Server::start().await;
        s3.create_bucket(BUCKET);
        fixtures::put_all(&s3.object_store(BUCKET), "").await;
        let texts = Arc::new(StringArray::from(vec!["one"])) as ArrayRef;
        let file = fixtures::file(&fixtures::batch([("n", texts)]));
        fixtures::put(&s3.object_store(BUCKET), "text_column/part.parquet", file).await;

        let server = TestServer::builder()
            .env("THERMOCLINE_S3_ENDPOINT", s3.endpoint())
            .env("THERMOCLINE_S3_REGION", REGION)
            .env("THERMOCLINE_S3_ACCESS_KEY_ID", ACCESS_KEY)
            .env("THERMOCLINE_S3_SECRET_ACCESS_KEY", secret_key)
            .start()
            .await;
        let client = server.connect().await;
        Scene { _s3: s3, server, client }
    }

    async fn create_external_schema(&self) {
        let create = "CREATE EXTERNAL SCHEMA lake FROM DATA CATALOG DATABASE 'lake'";
        self.client.batch_execute(create).await.unwrap();
    }

    /// Creates an external table `lake.t` there and reads it. One of the two must fail; which one is not promised.
    async fn external_error(&self, columns: &str, location: &str) -> SqlError {
        self.create_external_schema().await;
        let create = format!("CREATE EXTERNAL TABLE lake.t ({columns}) STORED AS PARQUET LOCATION '{location}'");
        match self.client.batch_execute(&create).await {
            Ok(()) => error(&self.client, "SELECT * FROM lake.t").await,
            Err(error) => error.into(),
        }
    }

    /// The end of every test: the error has the code and tells no secret, and the session goes on.
    async fn assert_told(&self, error: &SqlError, sqlstate: &str) {
        assert!(error.is(sqlstate), "should have been {sqlstate}: {error}");
        let log = self.server.log();
        for secret in [SECRET_KEY, WRONG_SECRET_KEY] {
            assert!(!error.to_string().contains(secret), "{error}");
            assert!(!log.contains(secret), "a secret in the log:\n{log}");
        }
        assert!(!log.contains("panicked"), "the server panicked:\n{log}");
        assert_eq!(value(&self.client, "SELECT 1").await, "1");
    }
}

#[tokio::test]
async fn a_missing_bucket_is_an_undefined_file() {
    let scene = Scene::start(SECRET_KEY).await;
    let error = scene.external_error("id bigint", "s3://no-such-bucket/sales/").await;
    scene.assert_told(&error, "58P01").await;
    assert!(error.to_string().contains("no-such-bucket"), "{error}");
}

#[tokio::test]
async fn wrong_credentials_are_a_missing_privilege() {
    let scene = Scene::start(WRONG_SECRET_KEY).await;
    let error = scene.external_error("id bigint", &format!("s3://{BUCKET}/sales/2023/")).await;
    scene.assert_told(&error, "42501").await;
}

#[tokio::test]
async fn a_file_that_is_no_parquet_is_corrupted_data_and_named() {
    let scene = Scene::start(SECRET_KEY).await;
    let error = scene.external_error("year integer", &format!("s3://{BUCKET}/broken/")).await;
    scene.assert_told(&error, "XX001").await;
    assert!(error.to_string().contains("broken/text.parquet"), "{error}");
}

#[tokio::test]
async fn a_column_of_another_type_than_declared_is_named_with_its_file() {
    let scene = Scene::start(SECRET_KEY).await;
    let error = scene.external_error("n integer", &format!("s3://{BUCKET}/text_column/")).await;
    scene.assert_told(&error, "42804").await;
    let text = error.to_string();
    assert!(text.contains("\"n\"") && text.contains("text_column/part.parquet") && text.contains("integer"), "{error}");
}

#[tokio::test]
async fn local_files_outside_the_external_roots_are_out_of_bounds() {
    let scene = Scene::start(SECRET_KEY).await;
    scene.create_external_schema().await;
    for location in ["file:///etc/", "file:///etc/passwd", "file:///", "/etc/passwd"] {
        let create = format!("CREATE EXTERNAL TABLE lake.t (line text) STORED AS PARQUET LOCATION '{location}'");
        let error = error(&scene.client, &create).await;
        if location.starts_with("file:") {
            scene.assert_told(&error, "42501").await;
        }
        assert!(!error.to_string().contains("root:"), "{error}");
    }
}

#[tokio::test]
async fn an_error_that_syntax_shows_has_its_position() {
    let scene = Scene::start(SECRET_KEY).await;
    check_position(&scene, "SELECT * FORM t", "42601", 10).await;
    check_position(&scene, "SELEC 1", "42601", 1).await;
    // Positions count characters, not bytes.
    check_position(&scene, "SELECT 'blå' FORM t x", "42601", 19).await;
}

#[tokio::test]
async fn a_name_that_nothing_has_is_pointed_at() {
    let scene = Scene::start(SECRET_KEY).await;
    scene.client.batch_execute("CREATE TABLE t (i integer)").await.unwrap();
    check_position(&scene, "SELECT * FROM nowhere", "42P01", 15).await;
    check_position(&scene, "SELECT * FROM public.nowhere", "42P01", 15).await;
    check_position(&scene, "SELECT nothing FROM t", "42703", 8).await;
    check_position(&scene, "SELECT t.nothing FROM t", "42703", 8).await;
}

async fn check_position(scene: &Scene, sql: &str, sqlstate: &str, position: u32) {
    let error = error(&scene.client, sql).await;
    scene.assert_told(&error, sqlstate).await;
    assert_eq!(error.position, Some(position), "{sql}: {error}");
}

#[tokio::test]
async fn a_value_that_does_not_fit_its_column_is_refused() {
    let scene = Scene::start(SECRET_KEY).await;
    scene.client.batch_execute("CREATE TABLE t (i integer, s text)").await.unwrap();
    scene.client.batch_execute("INSERT INTO t VALUES (1, 'one')").await.unwrap();

    let mismatch = error(&scene.client, "INSERT INTO t (i) SELECT s FROM t").await;
    scene.assert_told(&mismatch, "42804").await;
    let literal = error(&scene.client, "INSERT INTO t (i) VALUES ('one')").await;
    scene.assert_told(&literal, "22P02").await;
    assert_eq!(rows(&scene.client, "SELECT * FROM t").await.unwrap(), [["1", "one"]]);
}

#[tokio::test]
async fn a_violated_constraint_is_named_for_programs() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    let table = "CREATE TABLE kept (id int PRIMARY KEY, name text NOT NULL, CONSTRAINT positive CHECK (id > 0))";
    client.batch_execute(table).await.unwrap();
    client.batch_execute("INSERT INTO kept VALUES (1, 'a')").await.unwrap();
    for (row, column, constraint) in
        [("1, 'b'", None, Some("kept_pkey")), ("0, 'b'", None, Some("positive")), ("2, NULL", Some("name"), None)]
    {
        let error = client.batch_execute(&format!("INSERT INTO kept VALUES ({row})")).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!((error.schema(), error.table()), (Some("public"), Some("kept")), "{row}");
        assert_eq!((error.column(), error.constraint()), (column, constraint), "{row}");
    }
}
