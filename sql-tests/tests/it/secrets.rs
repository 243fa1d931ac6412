//! Secrets: which locations they open, for how long, and that nobody sees them.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::client::{error, rows, value};
use crate::fixtures;
use crate::support::proxy::Fault;
use crate::support::s3::{ACCESS_KEY, S3Server, SECRET_KEY};
use crate::support::server::{Signal, TestServer, TestServerBuilder};

const BUCKET: &str = "lake";
const COUNT_2023: &str = "SELECT count(*) FROM read_parquet('s3://lake/sales/2023/a.parquet')";
const COUNT_2024: &str = "SELECT count(*) FROM read_parquet('s3://lake/sales/2024/b.parquet')";

struct Scene {
    s3: S3Server,
    data: TempDir,
}

impl Scene {
    /// A bucket that nobody reads without the key.
    async fn new() -> Scene {
        let s3 = S3Server::start().await;
        s3.create_bucket(BUCKET);
        fixtures::put_all(&s3.object_store(BUCKET), "").await;
        Scene { s3, data: tempfile::tempdir().unwrap() }
    }

    fn server(&self) -> TestServerBuilder {
        let network = ["--external-network", "127.0.0.0/8"];
        TestServer::builder().data_dir(self.data.path()).arg(network[0]).arg(network[1]).arg("--log").arg("debug")
    }

    fn create(&self, name: &str, scope: &str, key: &str) -> String {
        format!(
            "CREATE SECRET {name} (TYPE s3, PROVIDER config, SCOPE '{scope}', KEY_ID '{ACCESS_KEY}', SECRET '{key}',
                                   ENDPOINT '{}', REGION 'us-east-1', USE_SSL false, URL_STYLE 'path')",
            self.s3.endpoint()
        )
    }

    fn key_file(&self) -> std::path::PathBuf {
        self.data.path().join("secrets.key")
    }
}

#[tokio::test]
async fn the_closest_secret_opens_a_location() {
    let scene = Scene::new().await;
    let server = scene.server().start().await;
    let client = server.connect().await;
    client.batch_execute(&scene.create("lake", "s3://lake", SECRET_KEY)).await.unwrap();
    assert_eq!(value(&client, COUNT_2023).await, "2");
    assert_eq!(value(&client, COUNT_2024).await, "1");

    client.batch_execute(&scene.create("wrong", "s3://lake/sales/2024/", "another key")).await.unwrap();
    assert_eq!(value(&client, COUNT_2023).await, "2");
    let refused = error(&client, COUNT_2024).await;
    assert!(refused.is("42501"), "{refused}");
    client.batch_execute("DROP SECRET wrong").await.unwrap();
    client.batch_execute(&scene.create("beside", "s3://lake/sales/202", "another key")).await.unwrap();
    assert_eq!(value(&client, COUNT_2024).await, "1", "a scope ends where a name does");
}

#[tokio::test]
async fn a_table_is_read_and_written_with_the_secrets_of_the_statement() {
    let scene = Scene::new().await;
    let server = scene.server().start().await;
    let client = server.connect().await;
    client.batch_execute(&scene.create("lake", "s3://lake", SECRET_KEY)).await.unwrap();
    let table = "CREATE EXTERNAL SCHEMA lake FROM DATA CATALOG DATABASE 'lake';
        CREATE EXTERNAL TABLE lake.sales (id bigint, item text, amount numeric(10,2), sold_on date)
        STORED AS PARQUET LOCATION 's3://lake/sales/2024/';
        INSERT INTO lake.sales VALUES (9, 'fig', 1, '2024-01-01')";
    client.batch_execute(table).await.unwrap();
    let read = client.prepare("SELECT count(*) FROM lake.sales").await.unwrap();
    let count = async || client.query_one(&read, &[]).await.map(|row| row.get::<_, i64>(0));
    assert_eq!(count().await.unwrap(), 4);
    client.batch_execute("UNLOAD ('SELECT 1') TO 's3://lake/out/x'").await.unwrap();
    assert_eq!(value(&client, "SELECT min(\"$path\") FROM lake.sales").await, "s3://lake/sales/2024/a.parquet");

    client.batch_execute("BEGIN; DROP SECRET lake").await.unwrap();
    assert!(count().await.is_err(), "the transaction has dropped it");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(count().await.unwrap(), 4);
    client.batch_execute("DROP SECRET lake").await.unwrap();
    assert!(count().await.is_err(), "a store that is open must not serve a statement without its secret");
}

#[tokio::test]
async fn secrets_are_kept_and_useless_without_their_key() {
    let scene = Scene::new().await;
    let mut server = scene.server().start().await;
    let client = server.connect().await;
    client.batch_execute(&scene.create("lake", "s3://lake", SECRET_KEY)).await.unwrap();
    server.stop_gracefully(Signal::Terminate).await;

    let mut server = scene.server().start().await;
    assert_eq!(value(&server.connect().await, COUNT_2023).await, "2");
    server.stop_gracefully(Signal::Terminate).await;

    std::fs::rename(scene.key_file(), scene.data.path().join("kept")).unwrap();
    let mut server = scene.server().start().await;
    let client = server.connect().await;
    let refused = error(&client, COUNT_2023).await;
    assert!(refused.is("F0000") && refused.to_string().contains("\"lake\""), "{refused}");
    server.stop_gracefully(Signal::Terminate).await;

    std::fs::write(scene.key_file(), [7; 32]).unwrap();
    std::fs::set_permissions(scene.key_file(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut server = scene.server().start().await;
    let client = server.connect().await;
    let refused = error(&client, COUNT_2023).await;
    assert!(refused.is("F0000") && refused.to_string().contains("another key"), "{refused}");
    let again = scene.create("lake", "s3://lake", SECRET_KEY).replace("CREATE", "CREATE OR REPLACE");
    client.batch_execute(&again).await.unwrap();
    assert_eq!(value(&client, COUNT_2023).await, "2");
    server.stop_gracefully(Signal::Terminate).await;

    let server = scene.server().arg("--secrets-key-file").arg("/nowhere/key").start().await;
    let client = server.connect().await;
    let refused = error(&client, &scene.create("other", "s3://other", SECRET_KEY)).await;
    assert!(refused.is("F0000"), "a file that is named is not made: {refused}");
}

/// An UNLOAD to `s3://lake/out/x` whose file is sent to a store that refuses everything by then, its removal too.
async fn unload_and_leave(client: &Client, s3: &S3Server, keys: &str) {
    let unload = format!("UNLOAD ('SELECT 1 AS a, pg_sleep(2) AS b') TO 's3://lake/out/x' {keys} {UNLOADED}");
    let refuse = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        s3.proxy().inject(Fault::Status { status: 403, key_contains: String::new(), times: u32::MAX });
    };
    let (refused, ()) = tokio::join!(client.batch_execute(&unload), refuse);
    assert!(refused.is_err());
    // What is not wanted is removed in the background.
    tokio::time::sleep(Duration::from_secs(1)).await;
    s3.proxy().clear_faults();
}

const UNLOADED: &str = "FORMAT AS CSV HEADER PARALLEL OFF";
const COUNT_UNLOADED: &str = "SELECT count(*) FROM read_csv('s3://lake/out/x*')";

#[tokio::test]
async fn an_unload_that_is_repeated_is_there_whatever_the_first_one_has_left() {
    let scene = Scene::new().await;
    let mut server = scene.server().start().await;
    let client = server.connect().await;
    client.batch_execute(&scene.create("lake", "s3://lake", SECRET_KEY)).await.unwrap();
    unload_and_leave(&client, &scene.s3, "").await;
    let unload = format!("UNLOAD ('SELECT 1 AS a, 2 AS b UNION ALL SELECT 3, 4') TO 's3://lake/out/x' {UNLOADED}");
    client.batch_execute(&unload).await.unwrap();
    assert_eq!(value(&client, COUNT_UNLOADED).await, "2");
    server.stop_gracefully(Signal::Terminate).await;

    let server = scene.server().start().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(value(&server.connect().await, COUNT_UNLOADED).await, "2", "nor is it removed at the next start");
}

#[tokio::test]
async fn what_an_unload_has_left_is_told_from_another_services_files() {
    let (scene, other) = (Scene::new().await, S3Server::start().await);
    other.create_bucket(BUCKET);
    let start = async || scene.server().env("THERMOCLINE_S3_ENDPOINT", other.endpoint()).start().await;
    let mut server = start().await;
    let client = server.connect().await;
    client.batch_execute(&scene.create("lake", "s3://lake", SECRET_KEY)).await.unwrap();
    let unload = format!("UNLOAD ('SELECT 1 AS a, 2 AS b') TO 's3://lake/out/x' {UNLOADED}");
    client.batch_execute(&unload).await.unwrap();
    // The statement's keys open the bucket of the configuration's service.
    let keys = format!("ACCESS_KEY_ID '{ACCESS_KEY}' SECRET_ACCESS_KEY '{SECRET_KEY}'");
    unload_and_leave(&client, &other, &keys).await;
    assert_eq!(value(&client, COUNT_UNLOADED).await, "1");
    server.stop_gracefully(Signal::Terminate).await;

    let server = start().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(value(&server.connect().await, COUNT_UNLOADED).await, "1");
}

#[tokio::test]
async fn only_superusers_make_and_drop_secrets() {
    let scene = Scene::new().await;
    let server = scene.server().start().await;
    let admin = server.connect().await;
    admin.batch_execute("CREATE ROLE eva LOGIN").await.unwrap();
    admin.batch_execute(&scene.create("lake", "s3://lake", SECRET_KEY)).await.unwrap();
    let eva = server.try_connect(server.config().user("eva"), NoTls).await.unwrap();
    for statement in [&scene.create("other", "s3://lake", SECRET_KEY), "DROP SECRET lake"] {
        let refused = error(&eva, statement).await;
        assert!(refused.is("42501"), "{refused}");
    }
    assert_eq!(value(&eva, COUNT_2023).await, "2", "what it opens is open for all");
}

#[tokio::test]
async fn nobody_sees_a_secret() {
    let scene = Scene::new().await;
    let mut server = scene.server().start().await;
    let client = server.connect().await;
    client.batch_execute(&scene.create("lake", "s3://lake", SECRET_KEY)).await.unwrap();
    client.batch_execute(&scene.create("wrong", "s3://lake/sales/2024", "hunter2")).await.unwrap();
    let mut said = vec![error(&client, COUNT_2024).await.to_string()];
    for statement in [
        scene.create("wrong", "s3://lake", "hunter2"),
        scene.create("odd", "ftp://lake", "hunter2"),
        scene.create("odd", "s3://user:hunter2@lake", "hunter2"),
        "CREATE SECRET half (TYPE s3, SECRET 'hunter2')".to_owned(),
        "CREATE SECRET account (TYPE gs, SERVICE_ACCOUNT_KEY '{\"private_key\": \"hunter2\"}')".to_owned(),
        "CREATE SECRET account (TYPE az, ACCOUNT_NAME 'account', ACCOUNT_KEY 'hunter2!')".to_owned(),
    ] {
        said.push(error(&client, &statement).await.to_string());
    }
    let explained = rows(&client, &format!("EXPLAIN {COUNT_2023}")).await.unwrap();
    said.push(format!("{explained:?}"));
    for view in [
        "thermocline.secrets",
        "pg_stat_activity",
        "pg_prepared_statements",
        "stl_query",
        "stl_querytext",
        "svl_statementtext",
        "thermocline.query_log",
        "thermocline.external_errors",
    ] {
        let Ok(found) = rows(&client, &format!("SELECT * FROM {view}")).await else { continue };
        said.push(format!("{found:?}"));
    }
    server.stop_gracefully(Signal::Terminate).await;
    said.push(server.log());
    for (place, text) in said.iter().enumerate() {
        for hidden in ["hunter2", SECRET_KEY, ACCESS_KEY] {
            assert!(!text.contains(hidden), "{place}: {text}");
        }
    }
    for hidden in ["hunter2", SECRET_KEY, ACCESS_KEY] {
        assert_eq!(files_with(scene.data.path(), hidden.as_bytes()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_backup_has_the_secrets_and_not_the_key() {
    let scene = Scene::new().await;
    let backups = tempfile::tempdir().unwrap();
    let mut server = scene.server().arg("--external-root").arg(backups.path()).start().await;
    let client = server.connect().await;
    client.batch_execute(&scene.create("lake", "s3://lake", SECRET_KEY)).await.unwrap();
    client.batch_execute(&format!("BACKUP TO 'file://{}/b'", backups.path().display())).await.unwrap();
    server.stop_gracefully(Signal::Terminate).await;
    let key = std::fs::read(scene.key_file()).unwrap();
    assert_eq!(files_with(backups.path(), &key), Vec::<String>::new());
    assert_eq!(files_with(backups.path(), SECRET_KEY.as_bytes()), Vec::<String>::new());
    assert_ne!(files_with(backups.path(), b"s3://lake"), Vec::<String>::new(), "the secret itself is there");
}

#[tokio::test]
async fn secrets_may_be_in_the_file_of_settings() {
    let scene = Scene::new().await;
    let settings = scene.data.path().with_extension("toml");
    let text = format!(
        "[[secret]]\ntype = \"s3\"\nscope = \"s3://lake/sales\"\nkey-id = \"{ACCESS_KEY}\"\nsecret = \"{SECRET_KEY}\"\n\
         endpoint = \"{}\"\n",
        scene.s3.endpoint()
    );
    std::fs::write(&settings, &text).unwrap();
    // What the configuration names needs no network that is open for statements.
    let server = TestServer::builder().arg("--config").arg(&settings).start().await;
    let client = server.connect().await;
    assert_eq!(value(&client, COUNT_2023).await, "2");

    std::fs::write(&settings, text.replace("key-id", "key-di")).unwrap();
    let (_, said) = TestServer::builder().arg("--config").arg(&settings).start_expecting_failure().await;
    assert!(said.contains("KEY_DI") && !said.contains(SECRET_KEY), "{said}");
    std::fs::remove_file(&settings).unwrap();
}

#[tokio::test]
async fn an_endpoint_that_a_statement_names_must_be_public() {
    let scene = Scene::new().await;
    let server = TestServer::builder().start().await;
    let client: Client = server.connect().await;
    client.batch_execute(&scene.create("lake", "s3://lake", SECRET_KEY)).await.unwrap();
    let refused = error(&client, COUNT_2023).await;
    assert!(refused.is("42501") && refused.to_string().contains("address"), "{refused}");
}

/// The files below a folder with these bytes.
fn files_with(folder: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, wanted));
        } else if std::fs::read(&path).unwrap().windows(wanted.len()).any(|bytes| bytes == wanted) {
            found.push(path.display().to_string());
        }
    }
    found
}
