//! Settings on the wire: what the client is told of them, and what it may begin with.

use tokio::net::TcpStream;

use crate::support::raw::{self, Answer};
use crate::support::server::TestServer;

async fn session(server: &TestServer, parameters: &[(&str, &str)]) -> (TcpStream, Vec<Answer>) {
    let who = [("user", "thermocline"), ("database", "thermocline")];
    let startup = raw::startup(0, &[&who[..], parameters].concat());
    let mut socket = raw::sent(server, &startup).await;
    let greeting = raw::read_to(&mut socket, b'Z').await;
    (socket, greeting)
}

/// `name=value` of each ParameterStatus, and the types of the messages.
fn told(answers: &[Answer]) -> (Vec<String>, String) {
    let statuses = answers.iter().filter(|answer| answer.kind == b'S').map(|answer| {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        body.strip_suffix('\0').unwrap_or(&body).replace('\0', "=")
    });
    (statuses.collect(), answers.iter().map(|answer| char::from(answer.kind)).collect())
}

async fn query(socket: &mut TcpStream, sql: &str) -> (Vec<String>, String) {
    raw::send(socket, &raw::message(b'Q', format!("{sql}\0").as_bytes())).await;
    told(&raw::read_to(socket, b'Z').await)
}

#[tokio::test]
async fn a_client_is_told_what_postgresql_tells() {
    let server = TestServer::builder().start().await;
    let (_socket, greeting) = session(&server, &[("application_name", "test")]).await;
    assert_eq!(
        told(&greeting).0,
        [
            "application_name=test",
            "client_encoding=UTF8",
            "DateStyle=ISO, MDY",
            "default_transaction_read_only=off",
            "in_hot_standby=off",
            "integer_datetimes=on",
            "IntervalStyle=postgres",
            "is_superuser=on",
            "server_encoding=UTF8",
            "server_version=15.4",
            "session_authorization=thermocline",
            "standard_conforming_strings=on",
            "TimeZone=UTC",
        ]
    );
}

#[tokio::test]
async fn a_change_is_told_before_the_next_statement_may_come() {
    let server = TestServer::builder().start().await;
    let (mut socket, _) = session(&server, &[]).await;
    for (sql, statuses, kinds) in [
        ("SET TimeZone = 'europe/berlin'", vec!["TimeZone=Europe/Berlin"], "CSZ"),
        ("SET TimeZone = 'Europe/Berlin'", vec![], "CZ"),
        ("SET work_mem = '8MB'", vec![], "CZ"),
        ("BEGIN", vec![], "CZ"),
        ("SET DateStyle = 'German'", vec!["DateStyle=German, DMY"], "CSZ"),
        ("SET LOCAL application_name = 'x'", vec!["application_name=x"], "CSZ"),
        ("ROLLBACK", vec!["application_name=", "DateStyle=ISO, MDY"], "CSSZ"),
        ("BEGIN", vec![], "CZ"),
        ("SET LOCAL IntervalStyle = 'iso_8601'", vec!["IntervalStyle=iso_8601"], "CSZ"),
        ("COMMIT", vec!["IntervalStyle=postgres"], "CSZ"),
        ("SET application_name = 'a'; SET DateStyle = 'SQL'; SELECT 1/0", vec![], "CCTEZ"),
        ("SELECT set_config('application_name', 'b', false)", vec!["application_name=b"], "TDCSZ"),
        ("SELECT set_config('application_name', 'c', false), 1/0", vec![], "TEZ"),
        ("RESET ALL", vec!["application_name=", "TimeZone=UTC"], "CSSZ"),
    ] {
        let (told, kind) = query(&mut socket, sql).await;
        assert_eq!((told, kind.as_str()), (statuses.into_iter().map(str::to_owned).collect(), kinds), "{sql}");
    }
}

#[tokio::test]
async fn a_client_begins_with_the_settings_that_it_sends() {
    let server = TestServer::builder().start().await;
    let options = r"-c statement_timeout=5min --IntervalStyle=iso_8601 -capplication-name=x -c search_path=a\ b,c";
    let parameters = [("options", options), ("datestyle", "sql"), ("no_such_setting", "1"), ("my.own", "mine")];
    let (mut socket, greeting) = session(&server, &parameters).await;
    let (statuses, _) = told(&greeting);
    assert!(statuses.contains(&"IntervalStyle=iso_8601".to_owned()), "{statuses:?}");
    assert!(statuses.contains(&"DateStyle=SQL, MDY".to_owned()), "{statuses:?}");
    for (name, expected) in [("statement_timeout", "5min"), ("my.own", "mine"), ("search_path", "\"$user\", public")] {
        raw::send(&mut socket, &raw::message(b'Q', format!("SHOW {name}\0").as_bytes())).await;
        let answers = raw::read_to(&mut socket, b'Z').await;
        let row = answers.iter().find(|answer| answer.kind == b'D').unwrap();
        assert_eq!(String::from_utf8_lossy(&row.body[6..]), expected, "{name}");
    }
    query(&mut socket, "SET statement_timeout = 0").await;
    query(&mut socket, "RESET statement_timeout").await;
    raw::send(&mut socket, &raw::message(b'Q', b"SHOW statement_timeout\0")).await;
    let answers = raw::read_to(&mut socket, b'Z').await;
    assert_eq!(&answers[1].body[6..], b"5min");
}

#[tokio::test]
async fn a_client_hears_of_what_it_wants_to_hear_of() {
    let server = TestServer::builder().start().await;
    let (mut socket, _) = session(&server, &[]).await;
    for (level, kinds) in [("notice", "NCZ"), ("warning", "CZ"), ("error", "CZ"), ("debug1", "NCZ")] {
        query(&mut socket, &format!("SET client_min_messages = {level}")).await;
        assert_eq!(query(&mut socket, "DROP TABLE IF EXISTS no_such_table").await.1, kinds, "{level}");
    }
}
