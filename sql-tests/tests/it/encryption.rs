//! TLS: who encrypts, with which certificate, and what is not let through beside it.

use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use tokio::time::timeout;
use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation};
use tokio_postgres::{Config, NoTls};

use crate::client::{SqlError, value};
use crate::support::raw;
use crate::support::server::{Signal, TestServer, TestServerBuilder};
use crate::support::tls::{Tls, file};

const DEADLINE: Duration = Duration::from_secs(60);

fn encrypting() -> TestServerBuilder {
    TestServer::builder().arg("--tls-cert").arg(file("server.pem")).arg("--tls-key").arg(file("server.key"))
}

/// As [`TestServer::config`], and encrypted.
fn config(server: &TestServer) -> Config {
    let mut config = server.config();
    config.ssl_mode(SslMode::Require);
    config
}

async fn refusal(server: &TestServer, config: &Config, tls: Tls) -> String {
    match server.try_connect(config, tls).await {
        Ok(_) => panic!("it was let in"),
        Err(error) => SqlError::from(error).to_string(),
    }
}

#[tokio::test]
async fn a_session_is_encrypted_if_the_client_wants_it() {
    let server = encrypting().start().await;
    for tls in [Tls::of_version(&TLS12), Tls::of_version(&TLS13), Tls::new().without_alpn()] {
        let client = server.try_connect(&config(&server), tls).await.unwrap();
        assert_eq!(value(&client, "SELECT count(*) FROM generate_series(1, 100000)").await, "100000");
        let mut work = Box::pin(client.simple_query("SELECT count(*) FROM generate_series(1, 1000000000000)"));
        let cancelling = async {
            loop {
                // A request that comes before its statement has no effect.
                tokio::select! {
                    answer = &mut work => break answer,
                    sent = async { client.cancel_token().cancel_query(Tls::new()).await } => sent.unwrap(),
                }
            }
        };
        let error = timeout(DEADLINE, cancelling).await.unwrap().unwrap_err();
        assert_eq!(error.code().unwrap().code(), "57014");
    }
    assert_eq!(value(&server.connect().await, "SELECT 1").await, "1");
}

#[tokio::test]
async fn a_large_answer_arrives_through_tls() {
    let server = encrypting().start().await;
    let client = server.try_connect(&config(&server), Tls::new()).await.unwrap();
    let rows = client.query("SELECT repeat('x', 1000) FROM generate_series(1, 20000)", &[]).await.unwrap();
    assert!(rows.len() == 20_000 && rows.iter().all(|row| row.get::<_, &str>(0).len() == 1000));
}

#[tokio::test]
async fn a_connection_may_begin_with_the_handshake_if_it_names_the_protocol() {
    let server = encrypting().start().await;
    let mut config = config(&server);
    config.ssl_negotiation(SslNegotiation::Direct);
    let client = server.try_connect(&config, Tls::new()).await.unwrap();
    assert_eq!(value(&client, "SELECT 1").await, "1");
    assert!(server.try_connect(&config, Tls::new().without_alpn()).await.is_err());
}

#[tokio::test]
async fn nothing_that_was_sent_in_clear_is_read_as_if_it_had_been_encrypted() {
    for server in [encrypting().start().await, TestServer::builder().start().await] {
        let mut bytes = raw::request(raw::SSL_REQUEST);
        bytes.extend(raw::startup_of("thermocline"));
        bytes.extend(raw::message(b'Q', b"create schema mallory_was_here\0"));
        let mut socket = raw::sent(&server, &bytes).await;
        let answers = raw::read_to_end(&mut socket).await;
        let [answer] = answers.as_slice() else { panic!("{answers:?}") };
        assert_eq!(answer.error(), "FATAL 08P01 received unencrypted data after SSL request");
        server.connect().await.batch_execute("CREATE SCHEMA mallory_was_here").await.unwrap();
    }
}

#[tokio::test]
async fn encryption_that_is_not_offered_is_declined() {
    let server = TestServer::builder().start().await;
    let mut socket = raw::connect(&server).await;
    for request in [raw::GSSENC_REQUEST, raw::SSL_REQUEST] {
        raw::send(&mut socket, &raw::request(request)).await;
        assert_eq!(raw::read_byte(&mut socket).await, b'N');
    }
    raw::send(&mut socket, &raw::startup_of("thermocline")).await;
    assert_eq!(raw::read_to(&mut socket, b'Z').await.last().unwrap().kind, b'Z');
}

#[tokio::test]
async fn a_server_may_demand_encryption() {
    let server = encrypting().arg("--tls").arg("require").start().await;
    let mut plain = server.config();
    plain.ssl_mode(SslMode::Disable);
    let error = SqlError::from(server.try_connect(&plain, NoTls).await.err().unwrap());
    assert!(error.is("28000"), "{error}");
    let expected =
        "no pg_hba.conf entry for host \"127.0.0.1\", user \"thermocline\", database \"thermocline\", no encryption";
    assert!(error.to_string().contains(expected), "{error}");
    server.try_connect(&config(&server), Tls::new()).await.unwrap();
}

#[tokio::test]
async fn a_certificate_says_who_a_client_is() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("pg_hba.conf");
    std::fs::write(&rules, "hostssl all thermocline all cert\nhostssl all all all trust clientcert=verify-ca\n")
        .unwrap();
    let server =
        encrypting().arg("--tls-client-ca").arg(file("authority.pem")).arg("--hba-file").arg(rules).start().await;
    let client = server.try_connect(&config(&server), Tls::showing("client")).await.unwrap();
    client.batch_execute("CREATE ROLE eva LOGIN").await.unwrap();
    let error = refusal(&server, &config(&server), Tls::showing("other-client")).await;
    assert!(error.contains("28000") && error.contains("certificate authentication failed"), "{error}");
    let error = refusal(&server, &config(&server), Tls::new()).await;
    assert!(error.contains("28000") && error.contains("connection requires a valid client certificate"), "{error}");
    let mut eva = config(&server);
    eva.user("eva");
    server.try_connect(&eva, Tls::showing("other-client")).await.unwrap();
    assert!(refusal(&server, &eva, Tls::new()).await.contains("28000"));
}

#[tokio::test]
async fn a_channel_is_bound_to_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("pg_hba.conf");
    std::fs::write(&rules, "host all all all scram-sha-256\n").unwrap();
    let server = encrypting().arg("--hba-file").arg(rules).env("THERMOCLINE_PASSWORD", "sésame").start().await;
    let mut config = config(&server);
    config.password("sésame").channel_binding(ChannelBinding::Require);
    server.try_connect(&config, Tls::new()).await.unwrap();
    config.channel_binding(ChannelBinding::Disable);
    server.try_connect(&config, Tls::new()).await.unwrap();
    config.password("sesame").channel_binding(ChannelBinding::Require);
    assert!(refusal(&server, &config, Tls::new()).await.contains("28P01"));
}

/// The certificate that a server shows.
async fn certificate(server: &TestServer) -> Vec<u8> {
    let mut socket = raw::sent(server, &raw::request(raw::SSL_REQUEST)).await;
    assert_eq!(raw::read_byte(&mut socket).await, b'S');
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = Tls::new().connector().connect(name, socket).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn certificates_are_exchanged_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (shown, key) = (folder.path().join("shown.pem"), folder.path().join("shown.key"));
    let show = |name: &str| {
        std::fs::copy(file(&format!("{name}.pem")), &shown).unwrap();
        std::fs::copy(file(&format!("{name}.key")), &key).unwrap();
    };
    show("server");
    let server = TestServer::builder().arg("--tls-cert").arg(&shown).arg("--tls-key").arg(&key).start().await;
    let client = server.try_connect(&config(&server), Tls::new()).await.unwrap();
    let before = certificate(&server).await;

    show("other-server");
    server.signal(Signal::Hangup);
    let exchanged = async { while certificate(&server).await == before {} };
    timeout(DEADLINE, exchanged).await.expect("the new certificate is shown");
    let after = certificate(&server).await;
    assert_eq!(value(&client, "SELECT 1").await, "1", "sessions go on");

    std::fs::write(&shown, "no certificate").unwrap();
    server.signal(Signal::Hangup);
    let noticed = async {
        while !server.log().contains("the new certificate is not used") {
            assert_eq!(certificate(&server).await, after);
        }
    };
    timeout(DEADLINE, noticed).await.expect("the damaged file is noticed");
    assert_eq!(certificate(&server).await, after);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let key = file("client.key");
    for (certificate, key, culprit) in [
        (file("no-such.pem"), file("server.key"), "no-such.pem"),
        (file("server.pem"), file("server.pem"), "server.pem"),
        (file("server.pem"), key, "cannot be used with its private key"),
    ] {
        let builder = TestServer::builder().arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key);
        let (status, output) = builder.start_expecting_failure().await;
        assert!(!status.success() && output.contains(culprit), "{culprit}: {output}");
    }
}
