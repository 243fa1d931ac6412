#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

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
    ];
    for location in invalid {
        let resolved = stores.resolve(location);
        let is_refused = matches!(resolved, Err(Error::LocationInvalid { .. } | Error::LocationNotAllowed { .. }));
        assert!(is_refused, "{location}: {resolved:?}");
    }
    let resolved = stores.resolve(&format!("s3://bucket/{}", "x".repeat(100_000)));
    assert!(matches!(resolved, Err(Error::LocationInvalid { .. })));
    let resolved = stores.resolve("gs://bucket/x");
    assert!(matches!(resolved, Err(Error::SchemeNotSupported { scheme }) if scheme == "gs"));
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
    stores.resolve("s3://bucket/x").unwrap();
    assert!(!format!("{stores:?}").contains("hunter2"), "{stores:?}");
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
fn the_engine_gets_only_what_can_be_resolved() {
    let (_folder, stores) = folders();
    let store = |url: &str| stores.get_store(&Url::parse(url).unwrap());
    assert!(store("file:///").is_ok());
    assert!(store("s3://bucket/").is_ok());
    for url in ["http://host/", "file://host/", "s3://b%2Fc/"] {
        let error = store(url).unwrap_err();
        assert!(matches!(crate::error::find(&error), Some(Error::LocationNotAllowed { .. })), "{url}");
    }
    for bucket in 0..200 {
        stores.resolve(&format!("s3://bucket-{bucket}/")).unwrap();
    }
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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let body = "<Error><Code>Refused</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                let mut request = vec![0; 8192];
                while socket.read(&mut request).await.is_ok_and(|bytes| bytes > 0) {
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    endpoint
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
