//! Who may come in: roles, passwords, rules, and how many.

use std::fmt::Write;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};

use crate::client::{SqlError, error, value};
use crate::support::raw;
use crate::support::server::{Signal, TestServer, TestServerBuilder};
use crate::support::tls::{Tls, file};

const PASSWORD: &str = "sésame";
const QUERY: &[u8] = b"create schema mallory_was_here\0";

/// A file of rules, in a folder of its own.
fn rules(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pg_hba.conf");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// A server with these rules, whose first role has [`PASSWORD`].
fn with_rules(text: &str) -> (TempDir, TestServerBuilder) {
    let (folder, path) = rules(text);
    (folder, TestServer::builder().arg("--hba-file").arg(path).env("THERMOCLINE_PASSWORD", PASSWORD))
}

fn config(server: &TestServer, user: &str, password: &str) -> Config {
    let mut config = server.config();
    config.user(user).password(password);
    config
}

async fn connect(server: &TestServer, user: &str, password: &str) -> Client {
    server.try_connect(&config(server, user, password), NoTls).await.unwrap_or_else(|error| panic!("{user}: {error:?}"))
}

async fn refusal(server: &TestServer, user: &str, password: &str) -> String {
    match server.try_connect(&config(server, user, password), NoTls).await {
        Ok(_) => panic!("{user} was let in"),
        Err(error) => SqlError::from(error).to_string(),
    }
}

#[tokio::test]
async fn a_password_is_asked_for_and_a_wrong_one_is_as_good_as_a_role_that_is_not_there() {
    let (_folder, builder) = with_rules("host all all all scram-sha-256\n");
    let server = builder.start().await;
    let client = connect(&server, "thermocline", PASSWORD).await;
    client.batch_execute("CREATE ROLE eva LOGIN; CREATE ROLE adam LOGIN PASSWORD 'apple'").await.unwrap();
    for (user, password) in
        [("thermocline", "sesame"), ("nobody", PASSWORD), ("eva", ""), ("eva", "x"), ("adam", "Apple")]
    {
        let error = refusal(&server, user, if password.is_empty() { "y" } else { password }).await;
        let expected = format!("FATAL (28P01): password authentication failed for user \"{user}\"");
        assert_eq!(error, expected);
    }
    connect(&server, "adam", "apple").await;
}

#[tokio::test]
async fn whoever_asks_is_asked_the_same_each_time() {
    let (_folder, builder) = with_rules("host all all all scram-sha-256\n");
    let server = builder.start().await;
    // What the server says first is the nonce, which changes, and the salt and the iterations, which do not.
    let mut salts = Vec::new();
    for user in ["nobody", "nobody", "somebody", "thermocline"] {
        let mut socket = raw::sent(&server, &raw::startup_of(user)).await;
        assert_eq!(raw::read(&mut socket).await.unwrap().body, b"\0\0\0\x0aSCRAM-SHA-256\0\0");
        let mut body = b"SCRAM-SHA-256\0\0\0\0\x0e".to_vec();
        body.extend(b"n,,n=,r=abcdef");
        raw::send(&mut socket, &raw::message(b'p', &body)).await;
        let challenge = raw::read(&mut socket).await.unwrap().body;
        let challenge = String::from_utf8(challenge[4..].to_vec()).unwrap();
        let (nonce, salt) = challenge.split_once(",s=").unwrap();
        assert!(nonce.starts_with("r=abcdef") && salt.ends_with(",i=4096"), "{challenge}");
        salts.push(salt.to_owned());
    }
    assert!(salts[0] == salts[1] && salts[0] != salts[2] && salts[2].len() == salts[3].len());
}

#[tokio::test]
async fn nothing_is_run_for_somebody_who_has_not_been_let_in() {
    let (_folder, builder) = with_rules("host all thermocline all scram-sha-256\nhost all all all trust\n");
    let server = builder.start().await;
    for (user, expected) in [
        ("thermocline", "FATAL 08P01 expected password response, got message type 81"),
        ("mallory", "FATAL 28000 role \"mallory\" does not exist"),
    ] {
        let bytes = [raw::startup_of(user), raw::message(b'Q', QUERY), raw::message(b'S', b"")].concat();
        let mut socket = raw::sent(&server, &bytes).await;
        let answers = raw::read_to_end(&mut socket).await;
        assert!(answers.iter().all(|answer| matches!(answer.kind, b'R' | b'E')), "{answers:?}");
        assert_eq!(answers.last().unwrap().error(), expected);
    }
    let client = connect(&server, "thermocline", PASSWORD).await;
    client.batch_execute("CREATE SCHEMA mallory_was_here").await.unwrap();
}

#[tokio::test]
async fn what_is_no_answer_to_a_challenge_is_refused() {
    let (_folder, builder) = with_rules("host all all all scram-sha-256\n");
    let server = builder.start().await;
    for body in [
        &b""[..],
        b"SCRAM-SHA-256",
        b"SCRAM-SHA-256\0",
        b"SCRAM-SHA-256\0\0\0\0\x04x",
        b"SCRAM-SHA-256\0\xff\xff\xff\xff",
        b"SCRAM-SHA-256-PLUS\0\0\0\0\x03n,,",
        b"PLAIN\0\0\0\0\x03n,,",
        b"SCRAM-SHA-256\0\0\0\0\x04\xff\xfe,,",
    ] {
        let mut socket = raw::sent(&server, &raw::startup_of("thermocline")).await;
        assert_eq!(raw::read(&mut socket).await.unwrap().kind, b'R');
        raw::send(&mut socket, &raw::message(b'p', body)).await;
        let error = raw::read(&mut socket).await.unwrap().error();
        assert!(error.starts_with("FATAL 08P01"), "{body:?}: {error}");
        assert_eq!(raw::read(&mut socket).await, None);
    }
    for bytes in [&b"p\xff\xff\xff\xff"[..], b"p\x7f\xff\xff\xff", b"p\0\0\0\0"] {
        let mut socket = raw::sent(&server, &raw::startup_of("thermocline")).await;
        assert_eq!(raw::read(&mut socket).await.unwrap().kind, b'R');
        raw::send(&mut socket, bytes).await;
        assert_eq!(raw::read(&mut socket).await.unwrap().error(), "FATAL 08P01 invalid message length");
    }
}

#[tokio::test]
async fn old_clients_may_be_asked_for_less() {
    let (_folder, builder) =
        with_rules("hostssl all clear all password\nhost all old all md5\nhost all all 127.0.0.1/32 trust\n");
    let builder = builder.arg("--tls-cert").arg(file("server.pem")).arg("--tls-key").arg(file("server.key"));
    let server = builder.start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE ROLE clear LOGIN PASSWORD 'one'").await.unwrap();
    client.batch_execute("SET password_encryption = md5; CREATE ROLE old LOGIN PASSWORD 'two'").await.unwrap();
    connect(&server, "old", "two").await;
    assert!(refusal(&server, "old", "one").await.contains("28P01"));
    // By SCRAM, since that is what is kept of it.
    client.batch_execute("SET password_encryption = 'scram-sha-256'; ALTER ROLE old PASSWORD 'three'").await.unwrap();
    connect(&server, "old", "three").await;
    let mut clear = config(&server, "clear", "one");
    clear.ssl_mode(SslMode::Require);
    server.try_connect(&clear, Tls::new()).await.unwrap();
    clear.password("two");
    assert!(server.try_connect(&clear, Tls::new()).await.is_err());
}

#[tokio::test]
async fn the_standard_rules_trust_this_machine() {
    let mut server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE ROLE guest; CREATE USER eva").await.unwrap();
    assert_eq!(refusal(&server, "guest", "").await, "FATAL (28000): role \"guest\" is not permitted to log in");
    assert_eq!(refusal(&server, "nobody", "").await, "FATAL (28000): role \"nobody\" does not exist");
    let eva = connect(&server, "eva", "").await;
    for (question, answer) in [("current_user", "eva"), ("session_user", "eva")] {
        assert_eq!(value(&eva, &format!("SELECT {question}")).await, answer);
    }
    assert_eq!(value(&eva, "SHOW is_superuser").await, "off");
    assert_eq!(value(&eva, "SHOW session_authorization").await, "eva");
    // What it prints is complete when it has ended.
    server.stop_gracefully(Signal::Terminate).await;
    assert!(server.log().contains("Connections from this machine are trusted"), "{}", server.log());
}

#[tokio::test]
async fn rules_may_refuse() {
    let (_folder, builder) = with_rules("host all eva all reject\nhost all thermocline 127.0.0.1/32 trust\n");
    let server = builder.start().await;
    server.connect().await;
    let whom = "host \"127.0.0.1\", user \"eva\", database \"thermocline\", no encryption";
    assert_eq!(refusal(&server, "eva", "x").await, format!("FATAL (28000): pg_hba.conf rejects connection for {whom}"));
    let whom = whom.replace("eva", "adam");
    assert_eq!(refusal(&server, "adam", "x").await, format!("FATAL (28000): no pg_hba.conf entry for {whom}"));
}

#[tokio::test]
async fn rules_that_cannot_be_used_are_named() {
    let (_folder, path) = rules("host all all all trust\nhost all all nonsense trust\n");
    let (status, output) = TestServer::builder().arg("--hba-file").arg(path).start_expecting_failure().await;
    assert!(!status.success() && output.contains("line 2 of rules of access"), "{output}");
}

#[tokio::test]
async fn a_password_expires() {
    let (_folder, builder) = with_rules("host all eva all scram-sha-256\nhost all all all trust\n");
    let server = builder.start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE ROLE eva LOGIN PASSWORD 'x' VALID UNTIL '2020-01-01'").await.unwrap();
    assert!(refusal(&server, "eva", "x").await.contains("28P01"));
    for until in ["infinity", "2999-01-01"] {
        client.batch_execute(&format!("ALTER ROLE eva VALID UNTIL '{until}'")).await.unwrap();
        connect(&server, "eva", "x").await;
    }
    client.batch_execute("ALTER ROLE eva VALID UNTIL '-infinity'").await.unwrap();
    assert!(refusal(&server, "eva", "x").await.contains("28P01"));
}

#[tokio::test]
async fn there_is_an_end_to_the_connections_of_a_role_and_of_all() {
    let server = TestServer::builder().arg("--max-connections").arg("5").start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE ROLE eva LOGIN CONNECTION LIMIT 1; CREATE ROLE adam LOGIN").await.unwrap();
    let eva = connect(&server, "eva", "").await;
    assert_eq!(refusal(&server, "eva", "").await, "FATAL (53300): too many connections for role \"eva\"");
    let reserved = "FATAL (53300): remaining connection slots are reserved for non-replication superuser connections";
    assert_eq!(refusal(&server, "adam", "").await, reserved);
    let kept = [server.connect().await, server.connect().await, server.connect().await];
    assert_eq!(refusal(&server, "thermocline", "").await, "FATAL (53300): sorry, too many clients already");
    drop((eva, kept));
}

#[tokio::test]
async fn sessions_begin_with_the_settings_of_their_role() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client
        .batch_execute(
            "CREATE USER eva; ALTER ROLE eva SET statement_timeout = '5s'; ALTER ROLE eva SET search_path TO a, \"B c\"",
        )
        .await
        .unwrap();
    let eva = connect(&server, "eva", "").await;
    assert_eq!(value(&eva, "SHOW statement_timeout").await, "5s");
    assert_eq!(value(&eva, "SHOW search_path").await, "a, \"B c\"");
    eva.batch_execute("SET statement_timeout = 1; RESET statement_timeout").await.unwrap();
    assert_eq!(value(&eva, "SHOW statement_timeout").await, "5s");
    let mut options = config(&server, "eva", "");
    options.options("-c statement_timeout=7s");
    let eva = server.try_connect(&options, NoTls).await.unwrap();
    assert_eq!(value(&eva, "SHOW statement_timeout").await, "7s");
    client.batch_execute("ALTER ROLE eva RESET ALL").await.unwrap();
    assert_eq!(value(&connect(&server, "eva", "").await, "SHOW statement_timeout").await, "0");
}

#[tokio::test]
async fn roles_are_changed_by_those_who_may() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE USER eva; CREATE USER maker CREATEROLE; CREATE USER boss SUPERUSER").await.unwrap();
    let (eva, maker) = (connect(&server, "eva", "").await, connect(&server, "maker", "").await);
    for (client, statement, message) in [
        (&eva, "CREATE ROLE x", "permission denied to create role"),
        (&eva, "BACKUP TO 'file:///nowhere'", "must be superuser to make a backup"),
        (&eva, "COPY pg_authid TO STDOUT", "permission denied for table pg_authid"),
        (&eva, "DROP ROLE maker", "permission denied to drop role"),
        (&eva, "ALTER ROLE maker LOGIN", "permission denied"),
        (&eva, "ALTER ROLE eva CREATEROLE", "permission denied"),
        (&eva, "ALTER ROLE eva SUPERUSER", "must be superuser to alter superuser roles or change superuser attribute"),
        (&eva, "ALTER ROLE thermocline SET timezone TO 'UTC'", "must be superuser to alter superusers"),
        (&eva, "ALTER ROLE maker SET timezone TO 'UTC'", "permission denied"),
        (&eva, "ALTER ROLE maker RENAME TO x", "permission denied to rename role"),
        (&maker, "CREATE ROLE x SUPERUSER", "must be superuser to create superusers"),
        (&maker, "CREATE ROLE x REPLICATION", "must be superuser to create replication users"),
        (
            &maker,
            "ALTER ROLE boss PASSWORD 'x'",
            "must be superuser to alter superuser roles or change superuser attribute",
        ),
        (&maker, "DROP ROLE boss", "must be superuser to drop superusers"),
        (&maker, "ALTER ROLE boss RENAME TO x", "must be superuser to rename superusers"),
    ] {
        assert_eq!(error(client, statement).await.to_string(), format!("ERROR (42501): {message}"), "{statement}");
    }
    eva.batch_execute("ALTER ROLE eva PASSWORD 'x'; ALTER ROLE current_user SET timezone TO 'UTC'").await.unwrap();
    maker.batch_execute("CREATE ROLE y; ALTER ROLE y LOGIN; ALTER ROLE y RENAME TO z; DROP ROLE z").await.unwrap();
    // A role that is gone has no rights left, although its session is there.
    client.batch_execute("DROP ROLE maker").await.unwrap();
    assert!(error(&maker, "CREATE ROLE x").await.is("42501"));
}

#[tokio::test]
async fn roles_survive_a_restart_and_the_first_password_is_given_once() {
    let data_dir = tempfile::tempdir().unwrap();
    let (_folder, path) = rules("host all all all scram-sha-256\n");
    let builder = |password: &str| {
        let builder = TestServer::builder().data_dir(data_dir.path()).arg("--hba-file").arg(&path);
        builder.env("THERMOCLINE_PASSWORD", password)
    };
    let mut server = builder(PASSWORD).start().await;
    let client = connect(&server, "thermocline", PASSWORD).await;
    client.batch_execute("CREATE ROLE eva LOGIN PASSWORD 'x'").await.unwrap();
    server.kill_hard();
    let server = builder("another").start().await;
    connect(&server, "eva", "x").await;
    assert!(refusal(&server, "thermocline", "another").await.contains("28P01"));
    connect(&server, "thermocline", PASSWORD).await;
}

#[tokio::test]
async fn there_is_an_end_to_how_long_a_client_may_take() {
    let (_folder, builder) = with_rules("host all all all scram-sha-256\n");
    let server = builder.arg("--authentication-timeout").arg("50ms").start().await;
    // Before it has said who it is, nobody answers it.
    assert_eq!(raw::read(&mut raw::connect(&server).await).await, None);
    let mut socket = raw::sent(&server, &raw::startup_of("thermocline")).await;
    let answers = raw::read_to_end(&mut socket).await;
    assert_eq!(answers.last().unwrap().error(), "FATAL 57014 canceling authentication due to timeout");
}

#[tokio::test]
async fn a_unix_socket_is_where_clients_look_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_rules, path) = rules("local all all trust\n");
    let builder = TestServer::builder().arg("--hba-file").arg(path).arg("--unix-socket-dir").arg(folder.path());
    let server = builder.start().await;
    let mut config = Config::new();
    config.host_path(folder.path()).port(server.port()).user("thermocline").dbname("thermocline");
    let client = server.try_connect(&config, NoTls).await.unwrap();
    assert_eq!(value(&client, "SELECT 1").await, "1");
    assert!(refusal(&server, "thermocline", "").await.contains("no pg_hba.conf entry for host \"127.0.0.1\""));
}

#[tokio::test]
async fn what_drivers_say_at_the_beginning_does_no_harm() {
    let server = TestServer::builder().start().await;
    let mut parameters = vec![
        ("user", "thermocline"),
        ("database", "thermocline"),
        ("client_encoding", "UTF8"),
        ("extra_float_digits", "2"),
        ("driver_version", "Redshift JDBC Driver 2.1"),
        ("os_version", "Linux"),
        ("plugin_name", ""),
        ("client_protocol_version", "2"),
    ];
    let mut socket = raw::sent(&server, &raw::startup(0, &parameters)).await;
    assert_eq!(raw::read_to(&mut socket, b'Z').await.last().unwrap().kind, b'Z');
    // More than PostgreSQL reads is not read either.
    let mut long = String::new();
    (0..2000).for_each(|number| write!(long, "{number} ").unwrap());
    parameters.push(("options", &long));
    parameters.push(("application_name", &long));
    let mut socket = raw::sent(&server, &raw::startup(0, &parameters)).await;
    assert_eq!(raw::read(&mut socket).await, None);
}
