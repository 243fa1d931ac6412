#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use datafusion::execution::object_store::ObjectStoreRegistry;

use super::*;

/// `root` is open, `secret.txt` beside it is not.
fn folders() -> (TempDir, ObjectStores) {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("root/sub folder")).unwrap();
    fs::create_dir_all(folder.path().join("root2")).unwrap();
    fs::write(folder.path().join("secret.txt"), "x").unwrap();
    fs::write(folder.path().join("root/a.parquet"), "x").unwrap();
    let external_roots = vec![folder.path().join("root")];
    let stores = ObjectStores::new(ObjectStoresConfig { external_roots, ..Default::default() }).unwrap();
    (folder, stores)
}

fn url(folder: &TempDir, rest: &str) -> String {
    format!("file://{}/{rest}", folder.path().display())
}

fn s3(endpoint: String) -> ObjectStores {
    let s3 = S3Config { endpoint: Some(endpoint), ..S3Config::default() };
    ObjectStores::new(ObjectStoresConfig { s3, ..Default::default() }).unwrap()
}

#[test]
fn what_is_below_a_root_is_resolved() {
    let (folder, stores) = folders();
    for rest in ["root", "root/", "root/a.parquet", "root/./sub%20folder/../a.parquet", "root/not/there/yet"] {
        let location = stores.resolve(&url(&folder, rest)).unwrap();
        assert!(location.url.contains("/root"), "{}", location.url);
    }
    let location = stores.resolve(&url(&folder, "root/sub%20folder/")).unwrap();
    assert!(location.path.as_ref().ends_with("root/sub folder"));
}

#[test]
fn nothing_outside_of_the_roots_is_resolved() {
    let (folder, stores) = folders();
    symlink(folder.path(), folder.path().join("root/up")).unwrap();
    let outside = [
        "",
        "secret.txt",
        "nothing.txt",
        "root2",
        "root/../secret.txt",
        "root/%2e%2e/secret.txt",
        "root/..%2Fsecret.txt",
        "root/sub folder/..\\..\\secret.txt",
        "root/up/secret.txt",
        "root/up/nothing.txt",
    ];
    for rest in outside {
        let resolved = stores.resolve(&url(&folder, rest));
        assert!(matches!(resolved, Err(Error::LocationNotAllowed { .. })), "{rest}: {resolved:?}");
    }
    let resolved = stores.resolve("file:///etc/passwd");
    assert!(matches!(resolved, Err(Error::LocationNotAllowed { .. })));
}

#[tokio::test]
async fn a_link_that_leads_outside_is_not_opened() {
    let (folder, stores) = folders();
    let root = stores.resolve(&url(&folder, "root/")).unwrap();
    symlink(folder.path().join("secret.txt"), folder.path().join("root/link.txt")).unwrap();
    let link = root.path.clone().join("link.txt");
    let opened = root.store.get(&link).await.map(|_| ());
    let error = Error::from_object_store("file:///link.txt", opened.unwrap_err());
    assert!(matches!(error, Error::LocationNotAllowed { .. }), "{error:?}");
    assert!(root.store.get(&root.path.clone().join("a.parquet")).await.is_ok());
}

#[test]
fn other_texts_are_not_locations() {
    let (_folder, stores) = folders();
    let invalid = [
        "",
        "data/x",
        "/etc/passwd",
        "file:/etc/passwd",
        "file://host/x",
        "file://data/x",
        "file:///x?y",
        "file:///x%00",
        "s3://",
        "s3://./x",
        "s3://b ucket/x",
        "s3://bucket:9000/x",
        "s3://bucket/a//b",
        "s3://bucket/../other/x",
        "s3://bucket/a\nb",
        "gs://",
        "gs://user:hunter2@bucket/x",
        "az://container/x",
        "abfss://container@host.example/x",
        "abfss://@account.dfs.core.windows.net/x",
        "abfss://container@account.evil.dfs.core.windows.net/x",
        "https://",
        "https://host",
        "https://host/folder/",
        "https://user:hunter2@host/x",
        "https://host/x?signature=hunter2",
        "https://host/x#y",
        "az://container/x?sv=2024&sig=hunter2",
        "abfss://container@account.dfs.core.windows.net/x?sv=2024&SIG=hunter2",
        "s3:/AKIA:hunter2@bucket/x",
        "https:/host/x?sig=hunter2",
        "https://host/%00",
    ];
    for location in invalid {
        let resolved = stores.resolve(location);
        let is_refused = matches!(resolved, Err(Error::LocationInvalid { .. } | Error::LocationNotAllowed { .. }));
        assert!(!format!("{resolved:?}").contains("hunter2"), "{resolved:?}");
        assert!(is_refused, "{location}: {resolved:?}");
    }
    let resolved = stores.resolve(&format!("s3://bucket/{}", "x".repeat(100_000)));
    assert!(matches!(resolved, Err(Error::LocationInvalid { .. })));
    let resolved = stores.resolve("ftp://bucket/x");
    assert!(matches!(resolved, Err(Error::SchemeNotSupported { scheme }) if scheme == "ftp"));
}

#[test]
fn no_secret_is_printed() {
    let (_folder, stores) = folders();
    let error = stores.resolve("s3://AKIA:hun/ter2@bucket/x").unwrap_err();
    assert!(!error.to_string().contains("hun"), "{error}");
    let error = stores.resolve("s3://AKIA:hunter2@bucket/x").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let s3 = S3Config {
        access_key_id: Some("id".into()),
        secret_access_key: Some(Secret::new("hunter2")),
        ..S3Config::default()
    };
    let stores = ObjectStores::new(ObjectStoresConfig { s3, ..Default::default() }).unwrap();
    let location = stores.resolve("s3://bucket/x").unwrap();
    assert!(!format!("{stores:?} {location:?}").contains("hunter2"), "{stores:?}");

    let options = [("account_name", "account"), ("sas_token", "sv=1&sig=hunter2")];
    let options = options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let secrets = vec![GivenSecret { kind: catalog::SecretKind::Az, scope: String::new(), options }];
    let stores = ObjectStores::new(ObjectStoresConfig { secrets, ..Default::default() }).unwrap();
    let location = stores.resolve("az://container/x").unwrap();
    assert!(!format!("{stores:?} {location:?}").contains("hunter2"), "{stores:?}");
}

#[test]
fn a_key_is_taken_as_it_is_written() {
    let (_folder, stores) = folders();
    let location = stores.resolve("S3://bucket/dt=2024-01-01 10%3A00/ä?#/").unwrap();
    assert_eq!(location.path.as_ref(), "dt=2024-01-01 10%3A00/ä?#");
    assert_eq!(location.store_url.as_str(), "s3://bucket/");
}

#[test]
fn a_configuration_with_mistakes_is_refused() {
    let bad_roots = ObjectStoresConfig { external_roots: vec!["/nowhere/at/all".into()], ..Default::default() };
    let half_a_key = S3Config { access_key_id: Some("id".into()), ..S3Config::default() };
    let bad_endpoint = S3Config { endpoint: Some("localhost:9000".into()), ..S3Config::default() };
    let s3 = |s3| ObjectStoresConfig { s3, ..Default::default() };
    for config in [bad_roots, s3(half_a_key), s3(bad_endpoint)] {
        let stores = ObjectStores::new(config);
        assert!(matches!(stores, Err(Error::ConfigurationInvalid { .. })), "{stores:?}");
    }
}

#[test]
fn locations_are_where_they_say() {
    let (_folder, stores) = folders();
    let locations = [
        ("s3://bucket/a/b", "s3://bucket/", "a/b"),
        ("s3://bucket//a/b", "s3://bucket/", "a/b"),
        ("GS://bucket/a%20b", "gs://bucket/", "a%20b"),
        ("abfss://files@account.dfs.core.windows.net/a/", "abfss://files@account.dfs.core.windows.net/", "a"),
        ("https://Example.org:8443/a%20b/../c%20d.csv", "https://example.org:8443/", "c d.csv"),
        ("http://example.org:80/x", "http://example.org/", "x"),
    ];
    for (location, store, path) in locations {
        let found = stores.resolve(location).unwrap();
        assert_eq!((found.store_url.as_str(), found.path.as_ref()), (store, path), "{location}");
    }
    assert_eq!(stores.resolve("s3://bucket//private/x/").unwrap().url, "s3://bucket/private/x/");
    for bucket in 0..200 {
        stores.resolve(&format!("s3://bucket-{bucket}/")).unwrap();
    }
}

#[test]
fn a_service_is_told_from_another_by_where_it_is() {
    let [first, second] = ["http://one:9000", "http://two:9000/"].map(|endpoint| s3(endpoint.to_owned()));
    let [first, again, second] = [&first, &first, &second].map(|stores| stores.resolve("s3://bucket/x").unwrap());
    assert_eq!(first.store_url, again.store_url);
    assert_ne!(first.store_url, second.store_url);
    assert_eq!([&*first.service, &*second.service], ["http://one:9000/", "http://two:9000/"]);
    assert_eq!(first.url, second.url);

    let secret = |endpoint: &str| {
        let options = [("key_id", "id"), ("secret", "hunter2"), ("endpoint", endpoint)];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let secrets = vec![GivenSecret { kind: catalog::SecretKind::S3, scope: String::new(), options }];
        let stores = ObjectStores::new(ObjectStoresConfig { secrets, ..Default::default() }).unwrap();
        stores.resolve("s3://bucket/x").unwrap()
    };
    let [first, again, second] = ["http://one", "http://one", "http://two"].map(secret);
    assert_eq!(first.store_url, again.store_url, "it is recognised after a restart");
    assert_ne!(first.store_url, second.store_url);
}

#[test]
fn web_servers_are_not_written_to() {
    let (_folder, stores) = folders();
    let refused = stores.check_writable("HTTPS://host/x?signature=hunter2").unwrap_err();
    assert!(matches!(&refused, Error::OperationNotSupported { location, .. } if !location.contains("hunter2")));
    stores.check_writable("s3://bucket/x").unwrap();
}

#[tokio::test]
async fn the_engine_finds_no_store_by_a_url() {
    let found = NothingRegistered.get_store(&Url::parse("file:///").unwrap()).unwrap();
    let read = found.get(&Path::from("etc/passwd")).await.unwrap_err();
    let error = Error::from_object_store("file:///etc/passwd", read);
    assert!(matches!(error, Error::LocationNotAllowed { .. }), "{error:?}");
}

/// Answers every request with the same bytes.
async fn answering_with(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 8192];
                while socket.read(&mut request).await.is_ok_and(|bytes| bytes > 0) {
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    server
}

fn on_loopback() -> ObjectStores {
    let networks = vec!["127.0.0.0/8".parse().unwrap()];
    ObjectStores::new(ObjectStoresConfig { networks, ..Default::default() }).unwrap()
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_at_once() {
    let (_folder, stores) = folders();
    for host in ["127.0.0.1:1", "localhost:1", "169.254.169.254", "[::1]:1"] {
        let started = Instant::now();
        let refused = stores.check_readable(&format!("http://{host}/x")).await.unwrap_err();
        assert!(matches!(&refused, Error::AddressNotAllowed { location } if location.ends_with("/x")), "{refused:?}");
        assert!(started.elapsed() < CONNECT_PAUSE_MIN, "it was attempted again");
    }
}

/// Less than the pause between two attempts to connect.
const CONNECT_PAUSE_MIN: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_redirection_to_such_an_address_is_not_followed() {
    for target in ["http://169.254.169.254/latest/", "http://[fd00:ec2::254]/"] {
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
        let server = answering_with(answer).await;
        let refused = on_loopback().check_readable(&format!("http://{server}/x")).await.unwrap_err();
        assert!(matches!(refused, Error::AddressNotAllowed { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn a_file_without_a_version_is_not_read() {
    let server = answering_with("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_owned()).await;
    let refused = on_loopback().check_readable(&format!("http://{server}/x")).await.unwrap_err();
    assert!(matches!(refused, Error::FileVersionUnknown { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_folder_is_readable_when_it_is_there() {
    let (folder, stores) = folders();
    for rest in ["root", "root/a.parquet", "root/sub%20folder/"] {
        stores.check_readable(&url(&folder, rest)).await.unwrap();
    }
    let missing = stores.check_readable(&url(&folder, "root/missing/")).await;
    assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
}

/// Answers every request with the same status.
async fn answering(status: &'static str) -> String {
    let body = "<Error><Code>Refused</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    format!("http://{}", answering_with(answer).await)
}

#[tokio::test]
async fn a_refusal_names_the_location_and_no_key() {
    let stores = s3(answering("403 Forbidden").await);
    let error = stores.check_readable("s3://bucket/x/").await.unwrap_err();
    assert!(matches!(&error, Error::AccessDenied { location } if location == "s3://bucket/x/"), "{error:?}");
    assert!(!format!("{error:?}").contains("AKIA"));
}

#[tokio::test]
async fn a_missing_bucket_is_not_found() {
    let stores = s3(answering("404 Not Found").await);
    let error = stores.check_readable("s3://bucket/x/").await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endpoint_without_a_listener_fails_within_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let started = Instant::now();
    let error = s3(endpoint).check_readable("s3://bucket/x/").await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
