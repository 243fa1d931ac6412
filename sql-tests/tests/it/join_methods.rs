//! How rows find each other: joins whose sides are sorted answer what those do that keep one side.

use tokio_postgres::Client;

use crate::client::rows;
use crate::support::server::TestServer;

/// Keys meet several times, once, never, and are NULL.
const TABLES: &str = "CREATE TABLE l AS SELECT repeat('w', 60) || k AS k, k AS n, id, note
        FROM (SELECT CASE WHEN g % 50 = 0 THEN NULL ELSE g / 2 END AS k, g AS id, repeat('l', 60) || g % 7 AS note
            FROM generate_series(1, 60000) AS g) AS l;
    CREATE TABLE r AS SELECT repeat('w', 60) || k AS k, k AS n, id, note
        FROM (SELECT CASE WHEN g % 30 = 0 THEN NULL ELSE g END AS k, g AS id, repeat('r', 60) || g % 5 AS note
            FROM generate_series(10000, 70000) AS g) AS r;
    ANALYZE";

/// What is joined in each way that there is.
const QUERIES: [&str; 9] = [
    "SELECT count(*), sum(l.id), min(l.note), max(r.note) FROM l JOIN r ON l.n = r.n",
    "SELECT count(*), sum(l.id), sum(r.id), max(l.note), max(r.note) FROM l LEFT JOIN r ON l.k = r.k AND r.id % 3 = l.id % 3",
    "SELECT count(*), sum(l.id), sum(r.id), max(l.note), max(r.note) FROM l RIGHT JOIN r ON l.k = r.k",
    "SELECT count(*), sum(l.id), sum(r.id), max(l.note), max(r.note) FROM l FULL JOIN r ON l.n = r.n AND l.k = r.k",
    "SELECT count(*), sum(id), max(note) FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k)",
    "SELECT count(*), sum(id), max(note) FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.k = l.k)",
    "SELECT count(*), sum(id), max(note) FROM l WHERE id < 10 OR EXISTS (SELECT 1 FROM r WHERE r.k = l.k)",
    "SELECT count(*), sum(a.id), max(a.note), max(b.note) FROM l a JOIN l b ON a.k = b.k JOIN r ON r.k = a.k",
    "SELECT count(*), sum(l.id), count(r.id), max(l.note), max(r.note) FROM l JOIN r ON l.n IS NOT DISTINCT FROM r.n WHERE l.n > 20000 OR l.n IS NULL AND l.id < 500",
];

/// Floating-point keys, conditions beside the keys, NOT IN.
const REFUSED: [(&str, &str); 3] = [
    (
        "CREATE TABLE f AS SELECT g::float8 AS k FROM generate_series(1, 10) AS g",
        "SELECT count(*) FROM f a JOIN f b ON a.k = b.k",
    ),
    ("SELECT 1", "SELECT count(*) FROM l LEFT JOIN r ON l.n = r.n AND l.id < r.id"),
    ("SELECT 1", "SELECT count(*) FROM l WHERE n NOT IN (SELECT n FROM r)"),
];

async fn plan(client: &Client, query: &str) -> String {
    rows(client, &format!("EXPLAIN (COSTS OFF) {query}")).await.unwrap().concat().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sides_that_are_sorted_answer_what_they_do_otherwise() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute(TABLES).await.unwrap();
    client.batch_execute("SET thermocline.workers_per_query = 2").await.unwrap();
    for query in QUERIES {
        let (hashed, expected) = (plan(&client, query).await, rows(&client, query).await.unwrap());
        client.batch_execute("SET enable_hashjoin = off").await.unwrap();
        let (sorted, answered) = (plan(&client, query).await, rows(&client, query).await.unwrap());
        client.batch_execute("RESET enable_hashjoin").await.unwrap();
        assert!(hashed.contains("Hash") && !hashed.contains("Merge"), "{query}\n{hashed}");
        assert!(sorted.contains("Merge") && !sorted.contains("Hash"), "{query}\n{sorted}");
        assert_ne!(expected[0][0], "0", "{query}");
        assert_eq!(answered, expected, "{query}");
    }
    // Where a merge join does not do what it should, there is none.
    for (sql, query) in REFUSED {
        client.batch_execute(sql).await.unwrap();
        client.batch_execute("SET enable_hashjoin = off").await.unwrap();
        let plan = plan(&client, query).await;
        assert!(plan.contains("Hash") && !plan.contains("Merge"), "{query}\n{plan}");
        client.batch_execute("RESET enable_hashjoin").await.unwrap();
    }
}

#[tokio::test]
async fn a_side_that_would_take_too_much_memory_is_sorted() {
    let server = TestServer::builder().arg("--memory-limit").arg("24MB").start().await;
    let client = server.connect().await;
    client.batch_execute(TABLES).await.unwrap();
    let large = plan(&client, QUERIES[0]).await;
    assert!(large.contains("Merge Join") && large.contains("Sort"), "{large}");
    let small = plan(&client, "SELECT count(*) FROM l JOIN r ON l.n = r.n WHERE r.id < 10100").await;
    assert!(small.contains("Hash Join"), "{small}");
}
