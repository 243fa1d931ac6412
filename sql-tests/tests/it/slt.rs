//! Runs the files below `slt/`: statements, and what PostgreSQL answers to them.
//!
//! Each file has a session and a schema of its own, named after it, so files neither see nor disturb each other. With
//! `SLT_POSTGRES_URL` the same files run against a PostgreSQL, which shows whether what they expect is true.
//! How to write one is in README.md of this package.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use object_store::local::LocalFileSystem;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::client::{NULL, SqlError, copy_in, row};
use crate::fixtures;
use crate::support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use crate::support::server::TestServer;

/// Longer than any file takes on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// How an empty text is written, which would otherwise be invisible.
const EMPTY: &str = "(empty)";

/// The bucket that `${S3}` names.
const BUCKET: &str = "fixtures";

/// Folders with statements that PostgreSQL does not have.
const FOLDERS_WITHOUT_POSTGRESQL: [&str; 1] = ["external"];

#[tokio::test]
async fn files_are_answered_as_they_say() {
    let engine = Engine::start().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("slt");
    let files = test_files(&root, &engine);
    assert!(!files.is_empty(), "no file to run below {}", root.display());

    let mut failures = Vec::new();
    for file in &files {
        if let Err(failure) = run(&engine, &root.join(file), &schema_name(file)).await {
            failures.push(format!("{}:\n{failure}", file.display()));
        }
    }
    let passed = files.len() - failures.len();
    assert!(failures.is_empty(), "{passed} of {} files passed\n\n{}", files.len(), failures.join("\n\n"));
    println!("{passed} files passed");
}

/// What the files run against.
enum Engine {
    Thermocline(Box<Thermocline>),
    PostgreSql { url: String },
}

/// A server, a store, and files in reach of both.
struct Thermocline {
    server: TestServer,
    _s3: S3Server,
    external_root: TempDir,
}

impl Engine {
    async fn start() -> Engine {
        match std::env::var("SLT_POSTGRES_URL") {
            Ok(url) => Engine::PostgreSql { url },
            Err(_) => Engine::Thermocline(Box::new(Thermocline::start().await)),
        }
    }

    /// The name for `onlyif` and `skipif`.
    fn name(&self) -> &'static str {
        match self {
            Engine::Thermocline(_) => "thermocline",
            Engine::PostgreSql { .. } => "postgresql",
        }
    }

    /// Whether the files of a folder of `slt/` are for it.
    fn has(&self, folder: &str) -> bool {
        matches!(self, Engine::Thermocline(_)) || !FOLDERS_WITHOUT_POSTGRESQL.contains(&folder)
    }

    /// What files write as `${NAME}`.
    fn variables(&self) -> Vec<(&'static str, String)> {
        match self {
            Engine::Thermocline(thermocline) => vec![
                ("EXTERNAL_ROOT", format!("file://{}", thermocline.external_root.path().display())),
                ("S3", format!("s3://{BUCKET}")),
            ],
            Engine::PostgreSql { .. } => vec![],
        }
    }

    async fn connect(&self) -> Result<Client, SqlError> {
        match self {
            Engine::Thermocline(thermocline) => Ok(thermocline.server.connect().await),
            Engine::PostgreSql { url } => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }
}

impl Thermocline {
    async fn start() -> Thermocline {
        let s3 = S3Server::start().await;
        s3.create_bucket(BUCKET);
        fixtures::put_all(&s3.object_store(BUCKET), "").await;

        let external_root = tempfile::tempdir().unwrap();
        fixtures::put_all(&LocalFileSystem::new_with_prefix(external_root.path()).unwrap(), "").await;

        let server = TestServer::builder()
            .arg("--external-root")
            .arg(external_root.path())
            .env("THERMOCLINE_S3_ENDPOINT", s3.endpoint())
            .env("THERMOCLINE_S3_REGION", REGION)
            .env("THERMOCLINE_S3_ACCESS_KEY_ID", ACCESS_KEY)
            .env("THERMOCLINE_S3_SECRET_ACCESS_KEY", SECRET_KEY)
            .start()
            .await;
        Thermocline { server, _s3: s3, external_root }
    }
}

/// Runs one file in a schema that is made for it and dropped afterwards.
async fn run(engine: &Engine, file: &Path, schema: &str) -> Result<(), String> {
    let admin = engine.connect().await.map_err(|error| error.to_string())?;
    admin.batch_execute(&format!("CREATE SCHEMA {schema}")).await.map_err(|error| SqlError::from(error).to_string())?;

    let mut runner = Runner::new(|| Session::open(engine, schema));
    for (name, value) in engine.variables() {
        runner.set_var(name.to_owned(), value);
    }
    let outcome = match timeout(DEADLINE, runner.run_file_async(file)).await {
        Ok(outcome) => outcome.map_err(|error| error.display(false).to_string()),
        Err(_) => Err(format!("not finished after {DEADLINE:?}")),
    };

    // The sessions end first, so that none of them still holds a lock on what is to be dropped.
    drop(runner);
    let dropped = admin.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await;
    outcome?;
    dropped.map_err(|error| SqlError::from(error).to_string())
}

/// A session whose search path is the schema of its file.
struct Session {
    client: Client,
    engine_name: &'static str,
}

impl Session {
    async fn open(engine: &Engine, schema: &str) -> Result<Session, SqlError> {
        let client = engine.connect().await?;
        client.batch_execute(&format!("SET search_path TO {schema}")).await?;
        Ok(Session { client, engine_name: engine.name() })
    }
}

#[async_trait]
impl AsyncDB for Session {
    type Error = SqlError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, SqlError> {
        if let Some((statement, data)) = copy_with_data(sql) {
            return Ok(DBOutput::StatementComplete(copy_in(&self.client, statement, data).await?));
        }
        let messages = self.client.simple_query(sql).await?;
        Ok(output(&messages))
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        self.engine_name
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn error_sql_state(error: &SqlError) -> Option<String> {
        error.sqlstate.clone()
    }
}

/// Splits `COPY … FROM STDIN` in the first line from the data in the lines that follow.
fn copy_with_data(sql: &str) -> Option<(&str, String)> {
    let (statement, data) = match sql.split_once('\n') {
        Some((statement, data)) => (statement, format!("{data}\n")),
        None => (sql, String::new()),
    };
    let is_copy = statement.starts_with("COPY ") && statement.contains("FROM STDIN");
    is_copy.then_some((statement, data))
}

/// The rows of the last statement that has any, or else how many rows the last statement affected.
fn output(messages: &[SimpleQueryMessage]) -> DBOutput<DefaultColumnType> {
    let mut columns = None;
    let mut rows = Vec::new();
    let mut affected = 0;
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(description) => {
                columns = Some(description.len());
                rows.clear();
            }
            SimpleQueryMessage::CommandComplete(count) => affected = *count,
            _ => rows.extend(row(message).map(|row| row.into_iter().map(cell).collect())),
        }
    }
    match columns {
        Some(columns) => DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows },
        None => DBOutput::StatementComplete(affected),
    }
}

fn cell(text: String) -> String {
    if text.is_empty() { EMPTY.to_owned() } else { text }
}

/// The `.slt` files for this engine, below and relative to `root`, in the order of their names; with `SLT_FILTER` those
/// whose name contains it.
fn test_files(root: &Path, engine: &Engine) -> Vec<PathBuf> {
    let filter = std::env::var("SLT_FILTER").unwrap_or_default();
    let mut files = files_below(root);
    files.retain(|file| file.extension().is_some_and(|extension| extension == "slt"));
    let mut files: Vec<_> = files.iter().map(|file| file.strip_prefix(root).unwrap().to_path_buf()).collect();
    files.retain(|file| file.to_string_lossy().contains(&filter) && engine.has(folder(file)));
    files.sort();
    files
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The folder directly below `slt/`.
fn folder(file: &Path) -> &str {
    file.iter().next().and_then(|name| name.to_str()).unwrap_or_default()
}

/// `ddl/create_table.slt` has the schema `ddl_create_table`.
fn schema_name(file: &Path) -> String {
    let name = file.with_extension("");
    name.to_string_lossy().replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_lowercase()
}

#[test]
fn data_of_a_copy_follows_its_first_line() {
    assert_eq!(copy_with_data("COPY t FROM STDIN\n1\n2"), Some(("COPY t FROM STDIN", "1\n2\n".to_owned())));
    assert_eq!(copy_with_data("SELECT 1\nFROM t"), None);
}

#[test]
fn null_and_empty_text_can_be_told_apart() {
    assert_eq!(cell(String::new()), EMPTY);
    assert_ne!(EMPTY, NULL);
}
