//! What external tables ask of their object store, and what becomes of a query when the store fails.

use object_store::ObjectStoreExt;
use tokio_postgres::Client;

use crate::client::{NULL, error, value};
use crate::fixtures;
use crate::support::proxy::Fault;
use crate::support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use crate::support::server::{Signal, TestServer, TestServerBuilder};

const BUCKET: &str = "lake";

/// The external table over the fixtures' sales: one partition for each year.
const TABLE: [&str; 3] = [
    "CREATE EXTERNAL SCHEMA lake FROM DATA CATALOG DATABASE 'lake'",
    "CREATE EXTERNAL TABLE lake.sales (id bigint, item text, amount numeric(10,2), sold_on date)
     PARTITIONED BY (year integer) STORED AS PARQUET LOCATION 's3://lake/sales/'",
    "ALTER TABLE lake.sales ADD PARTITION (year = 2023) LOCATION 's3://lake/sales/2023/'
                                PARTITION (year = 2024) LOCATION 's3://lake/sales/2024/'",
];

const SUM_2024: &str = "SELECT sum(amount) FROM lake.sales WHERE year = 2024";

/// What [`SUM_2024`] answers.
const AMOUNT_2024: &str = "14.19";

struct Scene {
    s3: S3Server,
    _server: TestServer,
    client: Client,
}

impl Scene {
    /// A session in which [`TABLE`] is there. Requests are counted from here on.
    async fn start() -> Scene {
        let s3 = S3Server::start().await;
        s3.create_bucket(BUCKET);
        fixtures::put_all(&s3.object_store(BUCKET), "").await;
        let server = builder(&s3).start().await;
        let client = server.connect().await;
        for statement in TABLE {
            client.batch_execute(statement).await.unwrap();
        }
        s3.proxy().reset_counts();
        Scene { s3, _server: server, client }
    }

    fn fail_with_status(&self, status: u16, key_contains: &str, times: u32) {
        self.s3.proxy().inject(Fault::Status { status, key_contains: key_contains.to_owned(), times });
    }
}

/// A server that reaches this store.
fn builder(s3: &S3Server) -> TestServerBuilder {
    TestServer::builder()
        .env("THERMOCLINE_S3_ENDPOINT", s3.endpoint())
        .env("THERMOCLINE_S3_REGION", REGION)
        .env("THERMOCLINE_S3_ACCESS_KEY_ID", ACCESS_KEY)
        .env("THERMOCLINE_S3_SECRET_ACCESS_KEY", SECRET_KEY)
}

#[tokio::test]
async fn a_partition_that_does_not_qualify_is_neither_listed_nor_read() {
    let scene = Scene::start().await;
    scene.fail_with_status(403, "sales/2023", u32::MAX);
    assert_eq!(value(&scene.client, SUM_2024).await, AMOUNT_2024);
    assert_eq!(scene.s3.proxy().counts().lists, 1, "the one folder is listed once");

    let refused = error(&scene.client, "SELECT sum(amount) FROM lake.sales").await;
    assert!(refused.is("42501"), "{refused}");
    scene.s3.proxy().clear_faults();
    assert_eq!(value(&scene.client, "SELECT sum(amount) FROM lake.sales").await, "17.69");
}

#[tokio::test]
async fn a_query_without_partitions_asks_nothing() {
    let scene = Scene::start().await;
    assert_eq!(value(&scene.client, "SELECT sum(amount) FROM lake.sales WHERE year = 1999").await, NULL);
    let counts = scene.s3.proxy().counts();
    assert_eq!((counts.lists, counts.gets, counts.heads), (0, 0, 0));
}

#[tokio::test]
async fn listings_are_as_old_as_the_session_allows() {
    let scene = Scene::start().await;
    let count = async || value(&scene.client, "SELECT count(*) FROM lake.sales WHERE year = 2024").await;
    let before: i64 = count().await.parse().unwrap();
    scene.client.batch_execute("SET thermocline.listing_ttl = '1h'").await.unwrap();
    assert_eq!(count().await, before.to_string());

    let store = scene.s3.object_store(BUCKET);
    store.copy(&"sales/2024/b.parquet".into(), &"sales/2024/z.parquet".into()).await.unwrap();
    scene.s3.proxy().reset_counts();
    assert_eq!(count().await, before.to_string(), "others' files are not looked for");
    assert_eq!(scene.s3.proxy().counts().lists, 0);

    let of_file = "SELECT count(*) FROM read_parquet('s3://lake/sales/2024/b.parquet')";
    let copied: i64 = value(&scene.client, of_file).await.parse().unwrap();
    let insert = "INSERT INTO lake.sales VALUES (99, 'own', 1.00, '2024-12-31', 2024)";
    scene.client.batch_execute(insert).await.unwrap();
    assert_eq!(count().await, (before + copied + 1).to_string(), "this server knows what it writes");

    store.delete(&"sales/2024/z.parquet".into()).await.unwrap();
    scene.client.batch_execute("SET thermocline.listing_ttl = 0").await.unwrap();
    assert_eq!(count().await, (before + 1).to_string(), "zero lists for each statement");
}

#[tokio::test]
async fn what_was_read_is_on_the_disk_after_a_restart() {
    let s3 = S3Server::start().await;
    s3.create_bucket(BUCKET);
    fixtures::put_all(&s3.object_store(BUCKET), "").await;
    let data_dir = tempfile::tempdir().unwrap();
    let start = async || builder(&s3).data_dir(data_dir.path()).arg("--page-cache").arg("1GB").start().await;
    let mut server = start().await;
    let client = server.connect().await;
    for statement in TABLE {
        client.batch_execute(statement).await.unwrap();
    }
    assert_eq!(value(&client, SUM_2024).await, AMOUNT_2024);
    drop(client);
    assert!(server.stop_gracefully(Signal::Terminate).await.success());

    let server = start().await;
    let client = server.connect().await;
    s3.proxy().reset_counts();
    assert_eq!(value(&client, SUM_2024).await, AMOUNT_2024);
    let counts = s3.proxy().counts();
    assert_eq!((counts.lists, counts.gets, counts.heads), (1, 0, 0));
    let on_disk = "SELECT hits > 0 AND bytes > 0 FROM thermocline.caches WHERE cache_name = 'pages_on_disk'";
    assert_eq!(value(&client, on_disk).await, "t");

    // Another file of the same name is another file.
    let store = s3.object_store(BUCKET);
    store.copy(&"sales/2023/a.parquet".into(), &"sales/2024/a.parquet".into()).await.unwrap();
    assert_ne!(value(&client, SUM_2024).await, AMOUNT_2024);
}

#[tokio::test]
async fn a_busy_store_is_asked_again() {
    let scene = Scene::start().await;
    scene.fail_with_status(503, "sales/2024/a.parquet", 2);
    scene.fail_with_status(500, "sales/2024/b.parquet", 1);
    assert_eq!(value(&scene.client, SUM_2024).await, AMOUNT_2024);
}

#[tokio::test]
async fn a_file_that_may_not_be_read_is_named() {
    let scene = Scene::start().await;
    scene.fail_with_status(403, "sales/2024/b.parquet", u32::MAX);
    let refused = error(&scene.client, SUM_2024).await;
    assert!(refused.is("42501"), "{refused}");
    assert!(refused.to_string().contains("sales/2024/b.parquet"), "{refused}");
    assert_eq!(value(&scene.client, "SELECT 1").await, "1");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_a_wrong_sum() {
    let scene = Scene::start().await;
    scene.s3.proxy().inject(Fault::HangUp { key_contains: "sales/2024/a.parquet".to_owned(), times: 1 });
    // Asked again or given up: both are honest.
    match scene.client.query_one(&format!("SELECT CAST(({SUM_2024}) AS text)"), &[]).await {
        Ok(row) => assert_eq!(row.get::<_, &str>(0), AMOUNT_2024),
        Err(error) => assert!(error.as_db_error().is_some(), "the session ended: {error:?}"),
    }
    assert_eq!(value(&scene.client, SUM_2024).await, AMOUNT_2024);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_gone_on_with() {
    let scene = Scene::start().await;
    for key in ["sales/2024/a.parquet", "sales/2024/b.parquet"] {
        scene.s3.proxy().inject(Fault::HangUp { key_contains: key.to_owned(), times: 2 });
    }
    assert_eq!(value(&scene.client, SUM_2024).await, AMOUNT_2024);
}

#[tokio::test]
async fn files_that_cannot_all_be_written_leave_none() {
    let scene = Scene::start().await;
    let insert = "INSERT INTO lake.sales VALUES (100, 'x', 1, '2023-01-01', 2023), (101, 'y', 2, '2024-01-01', 2024)";
    scene.fail_with_status(403, "sales/2024/thermocline-", u32::MAX);
    let refused = error(&scene.client, insert).await;
    assert!(refused.is("42501"), "{refused}");
    // The file of the other year was written, or not; nobody sees it.
    assert_eq!(value(&scene.client, "SELECT sum(amount) FROM lake.sales").await, "17.69");
    scene.s3.proxy().clear_faults();
    assert_eq!(value(&scene.client, "SELECT sum(amount) FROM lake.sales").await, "17.69");

    scene.fail_with_status(503, "sales/2024/thermocline-", 2);
    scene.client.batch_execute(insert).await.unwrap();
    assert_eq!(value(&scene.client, "SELECT sum(amount) FROM lake.sales").await, "20.69");
}

#[tokio::test]
async fn a_file_that_cannot_be_overwritten_stays() {
    let scene = Scene::start().await;
    let unload = |number: u32| format!("UNLOAD ('SELECT {number}') TO 's3://lake/out/x' CSV ALLOWOVERWRITE");
    let read = "SELECT v FROM read_csv('s3://lake/out/*') AS t (v text)";
    scene.client.batch_execute(&unload(1)).await.unwrap();
    assert_eq!(value(&scene.client, read).await, "1");
    scene.fail_with_status(403, "out/x0000_part_00", u32::MAX);
    let refused = error(&scene.client, &unload(2)).await;
    assert!(refused.is("42501"), "{refused}");
    scene.s3.proxy().clear_faults();
    assert_eq!(value(&scene.client, read).await, "1");
    scene.client.batch_execute(&unload(3)).await.unwrap();
    assert_eq!(value(&scene.client, read).await, "3");
}
