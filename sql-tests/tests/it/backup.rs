//! Backup and restore: what a backup holds is one state, and what is not a whole backup is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::TryStreamExt;
use object_store::ObjectStore;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::client::{error, rows, value};
use crate::support::proxy::Fault;
use crate::support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use crate::support::server::{TestServer, TestServerBuilder};

/// Everything that a backup has to keep, of each kind, inline and in files.
const OBJECTS: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
    CREATE SCHEMA s;
    CREATE TABLE s.t (id serial PRIMARY KEY, m mood, p positive, x text DEFAULT 'none');
    INSERT INTO s.t (m, p) VALUES ('happy', 1), ('sad', 2), (NULL, NULL);
    CREATE TABLE large (i integer PRIMARY KEY, x text, d numeric(12, 2)) SORTKEY (i);
    INSERT INTO large SELECT g, 'number ' || g, g / 4.0 FROM generate_series(1, 200000) AS g;
    DELETE FROM large WHERE i % 7 = 3;
    INSERT INTO large VALUES (-1, NULL, NULL);
    CREATE VIEW s.v AS SELECT m, count(*) AS n FROM s.t GROUP BY m;
    CREATE SEQUENCE free START 100;
    COMMENT ON TABLE large IS 'many rows';
    CREATE TABLE empty (a integer)";

/// What tells whether everything is there.
const QUESTIONS: [&str; 6] = [
    "SELECT id, m, p, x FROM s.t ORDER BY id",
    "SELECT count(*), sum(i), min(x), max(x), sum(d) FROM large",
    "SELECT x FROM large WHERE i IN (-1, 3, 4, 199999) ORDER BY i",
    "SELECT m, n FROM s.v ORDER BY m",
    "SELECT count(*) FROM empty",
    "SELECT 'happy'::mood > 'sad', 3::positive",
];

/// A server that may write below a folder.
struct Scene {
    root: TempDir,
    server: TestServer,
    client: Client,
}

impl Scene {
    async fn start() -> Scene {
        let root = tempfile::tempdir().unwrap();
        let server = builder(&root).start().await;
        let client = server.connect().await;
        Scene { client, server, root }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn url(&self, name: &str) -> String {
        format!("file://{}", self.folder(name).display())
    }

    async fn back_up(&self, name: &str) -> PathBuf {
        self.client.batch_execute(&format!("BACKUP TO '{}'", self.url(name))).await.unwrap();
        self.folder(name)
    }
}

fn builder(root: &TempDir) -> TestServerBuilder {
    TestServer::builder().arg("--external-root").arg(root.path())
}

/// Restores into a new directory, which a server then starts in.
async fn restored(from: &str, settings: TestServerBuilder) -> Result<(TempDir, TestServer), String> {
    let parent = tempfile::tempdir().unwrap();
    let data_dir = parent.path().join("data");
    let restore = settings.data_dir(&data_dir).arg("restore").arg("--from").arg(from);
    let (status, output) = restore.start_expecting_failure().await;
    assert!(!output.contains("panicked"), "{output}");
    if !status.success() {
        // What is left is no data directory.
        if data_dir.exists() {
            let (status, refusal) = TestServer::builder().data_dir(&data_dir).start_expecting_failure().await;
            assert!(!status.success() && refusal.contains("did not finish"), "{refusal}");
        }
        return Err(output);
    }
    let server = TestServer::builder().data_dir(&data_dir).start().await;
    Ok((parent, server))
}

async fn answers(client: &Client) -> Vec<Vec<Vec<String>>> {
    let mut answers = Vec::new();
    for question in QUESTIONS {
        answers.push(rows(client, question).await.unwrap());
    }
    answers
}

#[tokio::test]
async fn a_restored_server_answers_as_the_one_that_was_backed_up() {
    let scene = Scene::start().await;
    scene.client.batch_execute(OBJECTS).await.unwrap();
    let last: i64 = value(&scene.client, "SELECT nextval('free')").await.parse().unwrap();
    let expected = answers(&scene.client).await;
    let backup = scene.back_up("deep/er/backup").await;
    for statement in ["DELETE FROM large", "VACUUM", "DROP SCHEMA s CASCADE"] {
        scene.client.batch_execute(statement).await.unwrap();
    }

    for from in [backup.display().to_string(), scene.url("deep/er/backup")] {
        let (_data_dir, server) = restored(&from, TestServer::builder()).await.unwrap();
        let client = server.connect().await;
        assert_eq!(answers(&client).await, expected);
        // What is there counts: keys, sequences, conditions.
        assert!(error(&client, "INSERT INTO large VALUES (4, 'again', 0)").await.is("23505"));
        assert!(error(&client, "INSERT INTO s.t (p) VALUES (0)").await.is("23514"));
        assert_eq!(value(&client, "INSERT INTO s.t (p) VALUES (9) RETURNING id > 3").await, "t");
        let next: i64 = value(&client, "SELECT nextval('free')").await.parse().unwrap();
        assert!(next > last, "{next} after {last}");
        client.batch_execute("CREATE TABLE another (a integer); INSERT INTO another VALUES (1)").await.unwrap();
        client.batch_execute("DELETE FROM large WHERE i % 2 = 0").await.unwrap();
        client.batch_execute("VACUUM").await.unwrap();
        assert_eq!(value(&client, "SELECT count(*) FROM large").await, "85715");
    }
}

#[tokio::test]
async fn a_backup_under_writers_is_one_state() {
    let scene = Scene::start().await;
    scene
        .client
        .batch_execute(
            "CREATE TABLE a (k integer PRIMARY KEY, v bigint); CREATE TABLE b (k integer PRIMARY KEY, v bigint);
             INSERT INTO a SELECT g, 1000 FROM generate_series(1, 3) AS g; INSERT INTO b SELECT k, 0 FROM a;
             CREATE TABLE log (id serial, k integer); CREATE TABLE large (k integer, i integer)",
        )
        .await
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for k in 1..=3 {
        writers.spawn(write_until(scene.server.connect().await, k, stop.clone()));
    }
    let mut acknowledged: i64 = 0;
    for round in 0..3 {
        // Each backup is of another state.
        let before = acknowledged;
        while acknowledged <= before + 5 {
            acknowledged = value(&scene.client, "SELECT count(*) FROM log").await.parse().unwrap();
        }
        let backup = scene.back_up(&format!("backup{round}")).await;
        let after: i64 = value(&scene.client, "SELECT count(*) FROM log").await.parse().unwrap();
        let (_data_dir, server) = restored(&backup.display().to_string(), TestServer::builder()).await.unwrap();
        let client = server.connect().await;
        let number = async |sql| value(&client, sql).await.parse::<i64>().unwrap();
        let logged = number("SELECT count(*) FROM log").await;
        assert!((acknowledged..=after).contains(&logged), "{acknowledged} {logged} {after}");
        assert_eq!(number("SELECT sum(a.v) + sum(b.v) FROM a JOIN b USING (k)").await, 3000);
        assert_eq!(number("SELECT sum(v) FROM b").await, logged);
        assert_eq!(number("SELECT count(*) FROM large").await, logged * 1000);
        assert_eq!(number("SELECT count(DISTINCT id) FROM log").await, logged);
        let next = number("INSERT INTO log (k) VALUES (0) RETURNING id").await;
        assert!(next > number("SELECT coalesce(max(id), 0) FROM log WHERE k > 0").await);
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
}

/// Moves units from a to b, each time in one transaction that says so in two more tables, and compacts now and then.
async fn write_until(client: Client, k: i32, stop: Arc<AtomicBool>) {
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) && turn < 1000 {
        let transaction = format!(
            "BEGIN; UPDATE a SET v = v - 1 WHERE k = {k}; INSERT INTO log (k) VALUES ({k});
             INSERT INTO large SELECT {k}, g FROM generate_series(1, 1000) AS g;
             UPDATE b SET v = v + 1 WHERE k = {k}; COMMIT"
        );
        client.batch_execute(&transaction).await.unwrap();
        turn += 1;
        if k == 1 && turn % 5 == 0 {
            client.batch_execute("VACUUM large").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_damaged_backup_is_refused() {
    let scene = Scene::start().await;
    scene.client.batch_execute(OBJECTS).await.unwrap();
    let backup = scene.back_up("backup").await;
    let from = backup.display().to_string();
    let files: Vec<PathBuf> = files_below(&backup).into_iter().filter(|file| !file.ends_with("backup")).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let good = std::fs::read(&file).unwrap();
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 0x20;
            std::fs::write(&file, bad).unwrap();
            let refusal = restored(&from, TestServer::builder()).await.err().unwrap();
            assert!(refusal.contains("is damaged"), "{}: {refusal}", file.display());
        }
        std::fs::write(&file, &good[..good.len() - 1]).unwrap();
        assert!(restored(&from, TestServer::builder()).await.is_err(), "{} cut off", file.display());
        std::fs::remove_file(&file).unwrap();
        assert!(restored(&from, TestServer::builder()).await.is_err(), "{} gone", file.display());
        std::fs::write(&file, good).unwrap();
    }
    restored(&from, TestServer::builder()).await.unwrap();
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[tokio::test]
async fn what_is_no_finished_backup_is_refused() {
    let scene = Scene::start().await;
    let backup = scene.back_up("backup").await;
    let from = backup.display().to_string();
    let data_dir = tempfile::tempdir().unwrap();
    std::fs::write(data_dir.path().join("something"), "").unwrap();
    let full = TestServer::builder().data_dir(data_dir.path()).arg("restore").arg("--from").arg(&from);
    let (status, output) = full.start_expecting_failure().await;
    assert!(!status.success() && output.contains("is not empty"), "{output}");

    std::fs::remove_file(backup.join("manifest.json")).unwrap();
    for from in [from, scene.folder("nothing").display().to_string()] {
        let refusal = restored(&from, TestServer::builder()).await.err().unwrap();
        assert!(refusal.contains("holds no finished backup"), "{refusal}");
    }
}

#[tokio::test]
async fn a_backup_goes_where_it_may_and_overwrites_nothing() {
    let scene = Scene::start().await;
    let client = &scene.client;
    let backup = scene.back_up("backup").await;
    let before = std::fs::read(backup.join("manifest.json")).unwrap();
    let again = error(client, &format!("BACKUP TO '{}'", scene.url("backup"))).await;
    assert!(again.is("58P02") && again.to_string().contains("is not empty"), "{again}");
    assert!(error(client, &format!("BACKUP TO '{}'", scene.url("backup/manifest.json"))).await.sqlstate.is_some());
    assert_eq!(std::fs::read(backup.join("manifest.json")).unwrap(), before);

    let elsewhere = tempfile::tempdir().unwrap();
    let outside = format!("BACKUP TO 'file://{}/x'", elsewhere.path().display());
    assert!(error(client, &outside).await.is("42501"));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert!(error(client, "BACKUP TO 'ftp://host/x'").await.is("0A000"));
    assert!(error(client, "BACKUP TO 'x'").await.is("22023"));
    assert!(error(client, "BACKUP TO x").await.is("42601"));
    client.batch_execute("BEGIN").await.unwrap();
    assert!(error(client, &format!("BACKUP TO '{}'", scene.url("other"))).await.is("25001"));
    client.batch_execute("ROLLBACK").await.unwrap();
    std::fs::create_dir(scene.folder("made")).unwrap();
    scene.back_up("made").await;
}

#[tokio::test]
async fn a_damaged_segment_is_not_backed_up() {
    let (root, data_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut server = builder(&root).data_dir(data_dir.path()).start().await;
    server.connect().await.batch_execute(OBJECTS).await.unwrap();
    server.kill_hard();
    let segments = files_below(&data_dir.path().join("segments"));
    let segment = segments.iter().find(|path| path.extension().is_some_and(|it| it == "parquet")).unwrap();
    let mut bytes = std::fs::read(segment).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(segment, bytes).unwrap();

    let server = builder(&root).data_dir(data_dir.path()).start().await;
    let target = root.path().join("backup");
    let refused = error(&server.connect().await, &format!("BACKUP TO 'file://{}'", target.display())).await;
    assert!(refused.is("XX001"), "{refused}");
    assert!(!target.join("manifest.json").exists());
}

const BUCKET: &str = "backups";

fn with_s3(builder: TestServerBuilder, s3: &S3Server) -> TestServerBuilder {
    builder
        .env("THERMOCLINE_S3_ENDPOINT", s3.endpoint())
        .env("THERMOCLINE_S3_REGION", REGION)
        .env("THERMOCLINE_S3_ACCESS_KEY_ID", ACCESS_KEY)
        .env("THERMOCLINE_S3_SECRET_ACCESS_KEY", SECRET_KEY)
}

async fn keys(store: &dyn ObjectStore) -> Vec<String> {
    store.list(None).map_ok(|object| object.location.to_string()).try_collect().await.unwrap()
}

#[tokio::test]
async fn a_backup_in_an_object_store_is_restored_from_there() {
    let s3 = S3Server::start().await;
    s3.create_bucket(BUCKET);
    let server = with_s3(TestServer::builder(), &s3).start().await;
    let client = server.connect().await;
    client.batch_execute(OBJECTS).await.unwrap();
    // More than one request's worth.
    let noise = "CREATE TABLE noise (x text);
        INSERT INTO noise SELECT md5(g::text) || md5((-g)::text) FROM generate_series(1, 200000) AS g";
    client.batch_execute(noise).await.unwrap();
    let expected = answers(&client).await;
    client.batch_execute("BACKUP TO 's3://backups/monday'").await.unwrap();
    assert!(error(&client, "BACKUP TO 's3://backups/monday/'").await.is("58P02"));
    assert!(error(&client, "BACKUP TO 's3://nowhere/monday/'").await.is("58P01"));

    let from = "s3://backups/monday/";
    let (_data_dir, restored_server) = restored(from, with_s3(TestServer::builder(), &s3)).await.unwrap();
    let restored_client = restored_server.connect().await;
    assert_eq!(answers(&restored_client).await, expected);
    let sums = "SELECT count(*), count(DISTINCT x), min(x), max(x) FROM noise";
    assert_eq!(rows(&restored_client, sums).await.unwrap(), rows(&client, sums).await.unwrap());
}

#[tokio::test]
async fn a_backup_that_fails_or_takes_too_long_leaves_nothing() {
    let s3 = S3Server::start().await;
    s3.create_bucket(BUCKET);
    let server = with_s3(TestServer::builder(), &s3).start().await;
    let client = server.connect().await;
    client.batch_execute(OBJECTS).await.unwrap();
    let store = s3.object_store(BUCKET);
    let refuse = |status, times| {
        s3.proxy().inject(Fault::Status { status, key_contains: "x/records".to_owned(), times });
    };
    refuse(403, 1);
    assert!(error(&client, "BACKUP TO 's3://backups/x'").await.is("42501"));
    assert_eq!(keys(store.as_ref()).await, Vec::<String>::new());

    // A store that is overloaded for as long as anybody waits.
    refuse(503, u32::MAX);
    client.batch_execute("SET statement_timeout = '300ms'").await.unwrap();
    let late = error(&client, "BACKUP TO 's3://backups/x'").await;
    assert!(late.is("57014"), "{late}");
    assert_eq!(keys(store.as_ref()).await, Vec::<String>::new());
    client.batch_execute("SET statement_timeout = 0").await.unwrap();
    client.batch_execute("BACKUP TO 's3://backups/y'").await.unwrap();
    assert!(restored("s3://backups/y", with_s3(TestServer::builder(), &s3)).await.is_ok());
}
