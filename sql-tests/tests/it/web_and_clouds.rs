//! Files of web servers, of Google Cloud Storage and of Azure, and which addresses statements may make the server connect to.

use bytes::Bytes;
use tokio_postgres::Client;

use crate::client::{error, value};
use crate::support::server::TestServer;
use crate::support::web::{Deceit, WebFile, WebServer};

const ROWS: &[u8] = b"id,item\n1,apple\n2,pear\n";

struct Scene {
    web: WebServer,
    server: TestServer,
    client: Client,
}

impl Scene {
    /// A server that may connect to loopback, and a web server there.
    async fn start() -> Scene {
        let web = WebServer::start().await;
        let server = TestServer::builder().arg("--external-network").arg("127.0.0.0/8").start().await;
        let client = server.connect().await;
        Scene { web, server, client }
    }

    fn put(&self, path: &str, file: WebFile) {
        self.web.put(path, WebFile { bytes: Bytes::from_static(ROWS), ..file });
    }

    fn items(&self, path: &str) -> String {
        format!("SELECT string_agg(item, ' ' ORDER BY id) FROM read_csv('{}/{path}')", self.web.url())
    }
}

#[tokio::test]
async fn a_file_of_a_web_server_is_read_whatever_tells_its_version() {
    let scene = Scene::start().await;
    for (etag, is_dated) in [(Some("\"1\""), true), (Some("\"1\""), false), (Some("W/\"1\""), true), (None, true)] {
        scene.put("data/a b.csv", WebFile { etag, is_dated, ..WebFile::default() });
        assert_eq!(value(&scene.client, &scene.items("data/a%20b.csv")).await, "apple pear", "{etag:?} {is_dated}");
    }
    scene.put("data/a.csv", WebFile::default());
    let refused = error(&scene.client, &scene.items("data/a.csv")).await;
    assert!(refused.is("0A000") && refused.to_string().contains("ETag"), "{refused}");
    let refused = error(&scene.client, &scene.items("data/none.csv")).await;
    assert!(refused.is("58P01"), "{refused}");
}

#[tokio::test]
async fn an_external_table_may_be_a_file_of_a_web_server_and_is_read_only() {
    let scene = Scene::start().await;
    scene.put("a.csv", WebFile { etag: Some("\"1\""), ..WebFile::default() });
    let location = format!("{}/a.csv", scene.web.url());
    let create = format!(
        "CREATE EXTERNAL SCHEMA web FROM DATA CATALOG DATABASE 'web';
         CREATE EXTERNAL TABLE web.items (id bigint, item text) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
         STORED AS TEXTFILE LOCATION '{location}' TABLE PROPERTIES ('skip.header.line.count' = '1')"
    );
    scene.client.batch_execute(&create).await.unwrap();
    assert_eq!(value(&scene.client, "SELECT max(item) FROM web.items").await, "pear");
    assert_eq!(value(&scene.client, "SELECT min(\"$path\") FROM web.items").await, location);
    let unload = format!("UNLOAD ('SELECT 1') TO '{location}'");
    let backup = format!("BACKUP TO '{location}'");
    for write in ["INSERT INTO web.items VALUES (3, 'plum')", &unload, &backup] {
        let refused = error(&scene.client, write).await;
        assert!(refused.is("0A000") && refused.to_string().contains(&location), "{write}: {refused}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_gone_on_with() {
    let scene = Scene::start().await;
    for etag in [Some("\"1\""), Some("W/\"1\""), None] {
        scene.put("a.csv", WebFile { etag, is_dated: true, breaks: 1, ..WebFile::default() });
        assert_eq!(value(&scene.client, &scene.items("a.csv")).await, "apple pear", "{etag:?}");
    }
}

#[tokio::test]
async fn what_a_web_server_says_of_lengths_and_versions_is_not_believed() {
    let scene = Scene::start().await;
    for deceit in [Deceit::EndlessRefusal, Deceit::OlderWhenRead, Deceit::Short] {
        scene.put("a.csv", WebFile { is_dated: true, deceit, ..WebFile::default() });
        let refused = error(&scene.client, &scene.items("a.csv")).await;
        assert!(refused.is("58030"), "{deceit:?}: {refused}");
    }
    scene.put("a.csv", WebFile { is_dated: true, ..WebFile::default() });
    assert_eq!(value(&scene.client, &scene.items("a.csv")).await, "apple pear");
}

#[tokio::test]
async fn a_weak_tag_does_not_tell_what_is_in_a_file() {
    let scene = Scene::start().await;
    for etag in [Some("W/\"1\""), None] {
        for (bytes, expected) in [("id,item\n1,apple\n", "apple"), ("id,item\n1,peach\n", "peach")] {
            let bytes = Bytes::from_static(bytes.as_bytes());
            scene.web.put("a.csv", WebFile { bytes, etag, is_dated: true, ..WebFile::default() });
            assert_eq!(value(&scene.client, &scene.items("a.csv")).await, expected, "{etag:?}");
        }
    }
}

#[tokio::test]
async fn a_cloud_does_not_send_requests_elsewhere() {
    let scene = Scene::start().await;
    scene.put("bucket/a.csv", WebFile { etag: Some("\"1\""), is_dated: true, ..WebFile::default() });
    let there = scene.web.url().replace("127.0.0.1", "localhost") + "/bucket/a.csv";
    scene.web.put("bucket/moved.csv", WebFile { moved_to: Some(there), ..WebFile::default() });
    let secret = format!("CREATE SECRET gs (TYPE gcs, ENDPOINT '{}')", scene.web.url());
    scene.client.batch_execute(&secret).await.unwrap();
    let refused = error(&scene.client, "SELECT * FROM read_csv('gs://bucket/moved.csv')").await;
    assert!(refused.is("58030"), "{refused}");
}

#[tokio::test]
async fn locations_of_web_servers_are_files_without_secrets() {
    let scene = Scene::start().await;
    let url = scene.web.url();
    for location in [
        format!("{url}/folder/"),
        format!("{url}/*.csv"),
        format!("{url}/a.csv?X-Amz-Signature=hunter2"),
        url.replace("http://", "http://user:hunter2@") + "/a.csv",
    ] {
        let refused = error(&scene.client, &format!("SELECT * FROM read_csv('{location}')")).await;
        assert!(refused.is("22023"), "{location}: {refused}");
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
    }
    let seen = value(&scene.client, "SELECT count(*) FROM stl_query WHERE querytxt LIKE '%hunter' || '2%'").await;
    assert_eq!(seen, "0");
    assert!(!scene.server.log().contains("hunter2"));
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused() {
    let web = WebServer::start().await;
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    let port = web.url().rsplit_once(':').map(|(_, port)| port.to_owned()).unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "169.254.169.254", "[::ffff:127.0.0.1]"] {
        let refused = error(&client, &format!("SELECT * FROM read_csv('http://{host}:{port}/a.csv')")).await;
        assert!(refused.is("42501"), "{host}: {refused}");
    }
}

#[tokio::test]
async fn a_redirection_is_followed_to_addresses_that_are_allowed_only() {
    let scene = Scene::start().await;
    scene.put("a.csv", WebFile { etag: Some("\"1\""), ..WebFile::default() });
    let there = format!("{}/a.csv", scene.web.url());
    scene.web.put("moved.csv", WebFile { moved_to: Some(there), ..WebFile::default() });
    assert_eq!(value(&scene.client, &scene.items("moved.csv")).await, "apple pear");
    for target in ["http://169.254.169.254/latest/meta-data/", "http://[::1]/a.csv", "http://10.0.0.1/"] {
        scene.web.put("lured.csv", WebFile { moved_to: Some(target.to_owned()), ..WebFile::default() });
        let refused = error(&scene.client, &scene.items("lured.csv")).await;
        assert!(refused.is("42501"), "{target}: {refused}");
    }
}

#[tokio::test]
async fn clouds_are_read_without_a_signature_where_there_is_no_key() {
    let scene = Scene::start().await;
    for path in ["bucket/a.csv", "container/a.csv"] {
        scene.put(path, WebFile { etag: Some("\"1\""), is_dated: true, ..WebFile::default() });
    }
    let secrets = format!(
        "CREATE SECRET gs (TYPE gcs, ENDPOINT '{0}');
         CREATE SECRET az (TYPE azure, ACCOUNT_NAME 'account', ENDPOINT '{0}')",
        scene.web.url()
    );
    scene.client.batch_execute(&secrets).await.unwrap();
    for location in
        ["gs://bucket/a.csv", "az://container/a.csv", "abfss://container@account.dfs.core.windows.net/a.csv"]
    {
        let read = format!("SELECT string_agg(item, ' ' ORDER BY id) FROM read_csv('{location}')");
        assert_eq!(value(&scene.client, &read).await, "apple pear", "{location}");
    }
    assert!(scene.web.tokens().is_empty(), "{:?}", scene.web.tokens());
}

#[tokio::test]
async fn a_token_is_sent_to_the_web_server_that_it_is_for_only() {
    let scene = Scene::start().await;
    scene.put("private/a.csv", WebFile { etag: Some("\"1\""), bearer_token: Some("hunter2"), ..WebFile::default() });
    scene.put("a.csv", WebFile { etag: Some("\"1\""), ..WebFile::default() });
    let refused = error(&scene.client, &scene.items("private/a.csv")).await;
    assert!(refused.is("42501"), "{refused}");

    let secret = format!("CREATE SECRET web (TYPE http, SCOPE '{}/private/', BEARER_TOKEN 'hunter2')", scene.web.url());
    scene.client.batch_execute(&secret).await.unwrap();
    assert_eq!(value(&scene.client, &scene.items("private/a.csv")).await, "apple pear");

    let outside = format!("{}/a.csv", scene.web.url());
    scene.web.put("private/out.csv", WebFile { moved_to: Some(outside), ..WebFile::default() });
    let refused = error(&scene.client, &scene.items("private/out.csv")).await;
    assert!(refused.is("58030"), "{refused}");
    assert_eq!(value(&scene.client, &scene.items("a.csv")).await, "apple pear", "without the token");

    let other = WebServer::start().await;
    other.put("a.csv", WebFile { bytes: Bytes::from_static(ROWS), etag: Some("\"1\""), ..WebFile::default() });
    let there = format!("{}/a.csv", other.url());
    scene.web.put("private/moved.csv", WebFile { moved_to: Some(there.clone()), ..WebFile::default() });
    // Another port of the same machine is another web server.
    assert_eq!(value(&scene.client, &scene.items("private/moved.csv")).await, "apple pear");
    assert_eq!(value(&scene.client, &format!("SELECT count(*) FROM read_csv('{there}')")).await, "2");
    assert!(other.tokens().is_empty(), "{:?}", other.tokens());
}
