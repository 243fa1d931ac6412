//! A session of tokio-postgres: binary values, pipelined statements, portals, COPY, look-up of users' types.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt, TryStreamExt, future, pin_mut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Runs until it is cancelled.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b";

/// A value as it comes, of any type, to be sent back as it came.
#[derive(Debug)]
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self> {
        Ok(Raw(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[derive(Default)]
struct Checks {
    count: usize,
    failures: usize,
}

impl Checks {
    fn equal(&mut self, name: &str, got: impl Debug, expected: impl Debug) {
        self.count += 1;
        let (got, expected) = (format!("{got:?}"), format!("{expected:?}"));
        if got != expected {
            self.failures += 1;
            println!("FAIL {name}: {got} instead of {expected}");
        }
    }

    /// One subject of the session. That it breaks off is a failure, and the next one follows.
    fn part(&mut self, name: &str, result: Result<()>) {
        if let Err(error) = result {
            self.equal(name, error.to_string(), "no error");
        }
    }
}

struct Value {
    name: String,
    sql_type: String,
    sql: String,
    text: String,
}

fn values() -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(std::env::var("CLIENTS_VALUES")?)?;
    let value = |line: &str| {
        let fields: Vec<_> = line.split('\t').map(str::to_owned).collect();
        let [name, sql_type, sql, text] = fields.try_into().ok()?;
        Some(Value { name, sql_type, sql, text })
    };
    Ok(text.lines().filter_map(value).collect())
}

fn config() -> Result<Config> {
    let mut config = Config::new();
    let variable = std::env::var;
    config.host(variable("PGHOST")?).port(variable("PGPORT")?.parse()?).dbname(variable("PGDATABASE")?);
    config.user(variable("PGUSER")?).password(variable("PGPASSWORD")?);
    Ok(config)
}

fn tls() -> Result<MakeRustlsConnect> {
    let mut authorities = rustls::RootCertStore::empty();
    let pem = std::fs::read(std::env::var("PGSSLROOTCERT")?)?;
    for certificate in rustls_pemfile::certs(&mut pem.as_slice()) {
        authorities.add(certificate?)?;
    }
    let config = rustls::ClientConfig::builder().with_root_certificates(authorities).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A connection, and what it is told besides answers.
async fn connect(config: &Config) -> Result<(Client, futures::channel::mpsc::UnboundedReceiver<AsyncMessage>)> {
    let mut config = config.clone();
    config.ssl_mode(tokio_postgres::config::SslMode::Require);
    let (client, mut connection) = config.connect(tls()?).await?;
    let (told, messages) = futures::channel::mpsc::unbounded();
    tokio::spawn(async move {
        let mut messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            let _ = told.unbounded_send(message);
        }
    });
    Ok((client, messages))
}

async fn failure<T>(run: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>) -> String {
    match run.await {
        Ok(_) => "no error".into(),
        Err(error) => error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()),
    }
}

async fn connecting(checks: &mut Checks) -> Result<()> {
    let mut wrong = config()?;
    wrong.password("wrong").ssl_mode(tokio_postgres::config::SslMode::Require);
    checks.equal("wrong password", failure(wrong.connect(tls()?)).await, "28P01");
    let mut config = config()?;
    config.options("-c statement_timeout=12s").application_name("a b");
    let (client, _) = connect(&config).await?;
    checks.equal("options", client.query_one("SHOW statement_timeout", &[]).await?.get::<_, String>(0), "12s");
    let mut socket = Config::new();
    socket.host_path(std::env::var("CLIENTS_SOCKET")?).port(std::env::var("PGPORT")?.parse()?);
    socket.user("clients").password(std::env::var("PGPASSWORD")?).dbname(std::env::var("PGDATABASE")?);
    let (client, connection) = socket.connect(NoTls).await?;
    tokio::spawn(connection);
    checks.equal("Unix socket", client.query_one("SELECT current_user::text", &[]).await?.get::<_, String>(0), "clients");
    Ok(())
}

async fn reading_and_sending(client: &Client, checks: &mut Checks) -> Result<()> {
    for Value { name, sql_type, sql, text } in values()? {
        let cast = format!("SELECT format('%s', $1::{sql_type})");
        let sent = async {
            let got = client.query_one(&format!("SELECT {sql}"), &[]).await?.try_get::<_, Raw>(0)?;
            client.query_one(&cast, &[&got]).await?.try_get::<_, String>(0)
        };
        checks.equal(&format!("{name}, sent"), sent.await.map_err(|error| error.to_string()), Ok::<_, String>(&text));
        let as_text = client.query_one(&format!("SELECT format('%s', $1::text::{sql_type})"), &[&text]).await?;
        checks.equal(&format!("{name}, sent as text"), as_text.get::<_, String>(0), &text);
        let null = client.query_one(&format!("SELECT $1::{sql_type}"), &[&None::<Raw>]).await?;
        checks.equal(&format!("NULL of {sql_type}"), null.get::<_, Option<Raw>>(0).is_none(), true);
        let simple = client.simple_query(&format!("SELECT {sql}")).await?;
        let simple = simple.iter().find_map(|it| if let SimpleQueryMessage::Row(row) = it { row.get(0) } else { None });
        checks.equal(&format!("{name}, text"), simple, Some(&text));
    }
    let array = client.query_one("SELECT $1::int[]", &[&vec![Some(1), None]]).await?;
    checks.equal("array", array.get::<_, Vec<Option<i32>>>(0), [Some(1), None]);
    Ok(())
}

async fn prepared(client: &Client, checks: &mut Checks) -> Result<()> {
    let statement = client.prepare("SELECT $1::int * 2, upper($2)").await?;
    for number in 0..15 {
        let row = client.query_one(&statement, &[&number, &"ü"]).await?;
        checks.equal("prepared", (row.get::<_, i32>(0), row.get::<_, &str>(1)), (number * 2, "Ü"));
    }
    checks.equal("parameters", statement.params(), [Type::INT4, Type::TEXT]);
    let numbers: Vec<i32> = (0..50).collect();
    let all = future::try_join_all(numbers.iter().map(|number| async move {
        client.query_one("SELECT $1::int", &[number]).await.map(|row| row.get::<_, i32>(0))
    }));
    checks.equal("pipelined", all.await?, &numbers);
    let error = client.query("SELECT *  FROM nowhere", &[]).await.err().and_then(|it| it.as_db_error().cloned());
    let shown = error.map(|it| (it.code().code().to_owned(), format!("{:?}", it.position())));
    checks.equal("table", shown, Some(("42P01", "Some(Original(16))")));
    checks.equal("division", failure(client.query("SELECT 1 / $1::int", &[&0])).await, "22012");
    checks.equal("lives on", client.query_one("SELECT 1", &[]).await?.get::<_, i32>(0), 1);
    Ok(())
}

async fn transactions(client: &mut Client, checks: &mut Checks) -> Result<()> {
    client.batch_execute("CREATE TEMP TABLE rows (id int, t text)").await?;
    let mut transaction = client.transaction().await?;
    transaction.execute("INSERT INTO rows VALUES (1, 'a')", &[]).await?;
    let savepoint = transaction.savepoint("a").await?;
    checks.equal("fails", failure(savepoint.execute("SELECT 1 / 0", &[])).await, "22012");
    checks.equal("refused", failure(savepoint.execute("SELECT 1", &[])).await, "25P02");
    savepoint.rollback().await?;
    let portal = transaction.bind("SELECT generate_series(1, $1)", &[&10i32]).await?;
    checks.equal("portal", transaction.query_portal(&portal, 4).await?.len(), 4);
    checks.equal("portal goes on", transaction.query_portal(&portal, 0).await?.len(), 6);
    transaction.commit().await?;
    let several = client.simple_query("SELECT 1; INSERT INTO rows VALUES (2); SELECT 2").await?;
    checks.equal("several", several.iter().filter(|it| matches!(it, SimpleQueryMessage::CommandComplete(_))).count(), 3);
    Ok(())
}

async fn copying(client: &Client, checks: &mut Checks) -> Result<()> {
    let sink = client.copy_in("COPY rows FROM STDIN").await?;
    pin_mut!(sink);
    sink.send(Bytes::from("3\tü\n4\t\\N\n")).await?;
    checks.equal("copied", sink.finish().await?, 2);
    let out: Vec<Bytes> = client.copy_out("COPY rows TO STDOUT (FORMAT csv)").await?.try_collect().await?;
    checks.equal("CSV", String::from_utf8(out.concat())?, "1,a\n2,\n3,ü\n4,\n");
    let binary: Vec<Bytes> = client.copy_out("COPY rows TO STDOUT (FORMAT binary)").await?.try_collect().await?;
    let sink = client.copy_in("COPY rows FROM STDIN (FORMAT binary)").await?;
    pin_mut!(sink);
    sink.send(Bytes::from(binary.concat())).await?;
    checks.equal("binary", sink.finish().await?, 4);
    let sink = client.copy_in("COPY rows FROM STDIN").await?;
    pin_mut!(sink);
    sink.send(Bytes::from("x\ty\n")).await?;
    checks.equal("fails", failure(sink.finish()).await, "22P02");
    Ok(())
}

async fn results(client: &Client, checks: &mut Checks) -> Result<()> {
    let query = "SELECT i, repeat('x', 100) FROM generate_series(1, 200000) AS s(i)";
    let rows = client.query_raw(query, Vec::<i32>::new()).await?;
    let sum = rows.try_fold(0i64, async |sum, row| Ok(sum + i64::from(row.get::<_, i32>(0)))).await?;
    checks.equal("many rows", sum, 20_000_100_000i64);
    checks.equal("big", client.query_one("SELECT repeat('x', 20000000)", &[]).await?.get::<_, &str>(0).len(), 20_000_000);
    Ok(())
}

async fn cancelling(client: &Client, checks: &mut Checks) -> Result<()> {
    let token = client.cancel_token();
    let tls = tls()?;
    let cancel = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        token.cancel_query(tls).await
    };
    let (state, cancelled) = tokio::join!(failure(client.batch_execute(ENDLESS)), cancel);
    cancelled?;
    checks.equal("cancelled", state, "57014");
    client.batch_execute("SET statement_timeout = 100").await?;
    checks.equal("timeout", failure(client.query(ENDLESS, &[])).await, "57014");
    client.batch_execute("RESET statement_timeout").await?;
    Ok(())
}

/// What tokio-postgres asks about types that it does not know.
async fn look_up(client: &Client, checks: &mut Checks) -> Result<()> {
    client.batch_execute("CREATE TYPE mood_of_tokio AS ENUM ('sad', 'glad'); CREATE TYPE pair_of_tokio AS (a int, b text)").await?;
    let prepared = client.prepare("SELECT $1::mood_of_tokio[], (1, 'x')::pair_of_tokio").await;
    client.batch_execute("DROP TYPE mood_of_tokio; DROP TYPE pair_of_tokio").await?;
    let statement = prepared?;
    checks.equal("types", statement.columns().iter().map(|it| it.type_().name().to_owned()).collect::<Vec<_>>(), ["_mood_of_tokio", "pair_of_tokio"]);
    Ok(())
}

async fn session(checks: &mut Checks) -> Result<()> {
    let result = connecting(checks).await;
    checks.part("connecting", result);
    let (mut client, mut messages) = connect(&config()?).await?;
    let result = transactions(&mut client, checks).await;
    checks.part("transactions", result);
    let client = &client;
    let result = reading_and_sending(client, checks).await;
    checks.part("values", result);
    let result = prepared(client, checks).await;
    checks.part("prepared", result);
    let result = copying(client, checks).await;
    checks.part("copying", result);
    let result = results(client, checks).await;
    checks.part("results", result);
    let result = cancelling(client, checks).await;
    checks.part("cancelling", result);
    let result = look_up(client, checks).await;
    checks.part("look-up", result);
    while messages.try_recv().is_ok() {}
    client.batch_execute("DROP TABLE IF EXISTS nowhere").await?;
    client.batch_execute("LISTEN bell; NOTIFY bell, 'ding'").await?;
    client.batch_execute("SELECT 1").await?;
    let mut told = Vec::new();
    while let Ok(message) = messages.try_recv() {
        match message {
            AsyncMessage::Notice(notice) => told.push(notice.message().to_owned()),
            AsyncMessage::Notification(it) => told.push(format!("{} {}", it.channel(), it.payload())),
            _ => {}
        }
    }
    checks.equal("told", told, ["table \"nowhere\" does not exist, skipping", "bell ding"]);
    client.batch_execute("DISCARD ALL").await?;
    checks.equal("discarded", failure(client.query("SELECT * FROM rows", &[])).await, "42P01");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("no provider before");
    let mut checks = Checks::default();
    let result = session(&mut checks).await;
    checks.part("session", result);
    println!("checks {}, failures {}", checks.count, checks.failures);
}
