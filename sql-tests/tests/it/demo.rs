//! The newcomer's demo: it loads, shows its queries, and goes on serving, over local files and over S3.

use crate::client::value;
use crate::support::s3::{ACCESS_KEY, S3Server, SECRET_KEY};
use crate::support::server::TestServer;

/// The bucket that the demo looks for.
const BUCKET: &str = "thermocline-demo";

async fn assert_loaded(server: &TestServer) {
    let client = server.connect().await;
    for (query, expected) in [
        ("SELECT count(*) FROM demo_lake.flights", "336776"),
        ("SELECT count(*) FROM demo_lake.flights WHERE month = 2", "24951"),
        ("SELECT count(*) FROM demo.airlines", "16"),
        ("SELECT count(*) FROM demo.airports", "1458"),
        ("SELECT count(*) FROM demo.planes", "3322"),
        ("SELECT count(*) FROM demo.weather", "26115"),
        (
            "SELECT a.name FROM demo_lake.flights f JOIN demo.airlines a ON a.carrier = f.carrier \
          GROUP BY a.name ORDER BY count(*) DESC LIMIT 1",
            "United Air Lines Inc.",
        ),
    ] {
        assert_eq!(value(&client, query).await, expected, "{query}");
    }
    let shown = server.log();
    for told in
        ["Foreign Scan on flights f", "Partitions: 2 of 12", "Partition Filter: ((f.month = 1) OR (f.month = 2))"]
    {
        assert!(shown.contains(told), "{shown}");
    }
    assert!(!shown.contains(SECRET_KEY), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_loads_shows_its_queries_and_serves() {
    let server = TestServer::builder().arg("demo").start().await;
    assert_loaded(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_run_again_over_its_own_data() {
    let directory = tempfile::tempdir().unwrap();
    let first = TestServer::builder().arg("demo").data_dir(directory.path()).start().await;
    drop(first);
    let second = TestServer::builder().arg("demo").data_dir(directory.path()).start().await;
    assert_loaded(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_endpoint_the_flights_go_into_a_bucket() {
    let s3 = S3Server::start().await;
    s3.create_bucket(BUCKET);
    let server = TestServer::builder()
        .arg("demo")
        .arg("--s3-endpoint")
        .arg(s3.endpoint())
        .env("THERMOCLINE_S3_ACCESS_KEY_ID", ACCESS_KEY)
        .env("THERMOCLINE_S3_SECRET_ACCESS_KEY", SECRET_KEY)
        .start()
        .await;
    assert_eq!(s3.proxy().counts().puts, 12);
    assert_loaded(&server).await;
}
