//! EXPLAIN in the formats that programs read.

use tokio_postgres::Client;

use crate::support::server::TestServer;

const TABLES: &str = "SET thermocline.workers_per_query = 2;
    CREATE TABLE t (id integer, name text);
    INSERT INTO t SELECT g, 'name ' || g FROM generate_series(1, 1000) AS g;
    CREATE TABLE kinds AS SELECT g AS kind_id FROM generate_series(1, 10) AS g;
    ANALYZE";

async fn explained(client: &Client, options: &str, query: &str) -> Vec<String> {
    let rows = client.simple_query(&format!("EXPLAIN ({options}) {query}")).await.unwrap();
    let line = |message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    rows.into_iter().filter_map(line).collect()
}

#[tokio::test]
async fn all_formats_say_the_same() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute(TABLES).await.unwrap();
    let query = "SELECT a.id FROM t a LEFT JOIN kinds ON a.id = kind_id WHERE name > 'it''s \"'";

    let yaml = explained(&client, "FORMAT YAML, COSTS OFF", query).await;
    assert_eq!(yaml.len(), 1);
    let expected = r#"- Plan: 
    Node Type: "Hash Join"
    Parallel Aware: false
    Async Capable: false
    Join Type: "Left"
    Hash Cond: "(a.id = kinds.kind_id)"
    Plans: 
      - Node Type: "Seq Scan"
        Parent Relationship: "Outer"
        Parallel Aware: false
        Async Capable: false
        Relation Name: "t"
        Schema: "public"
        Alias: "a"
        Filter: "(a.name > 'it''s \"'::text)"
      - Node Type: "Hash"
        Parent Relationship: "Inner"
        Parallel Aware: false
        Async Capable: false
        Plans: 
          - Node Type: "Seq Scan"
            Parent Relationship: "Outer"
            Parallel Aware: false
            Async Capable: false
            Relation Name: "kinds"
            Schema: "public"
            Alias: "kinds""#;
    assert_eq!(yaml[0], expected);

    let xml = explained(&client, "FORMAT XML, COSTS OFF", query).await;
    assert!(xml[0].starts_with("<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>\n    <Plan>\n"));
    assert!(xml[0].contains("<Filter>(a.name &gt; 'it''s &quot;'::text)</Filter>"), "{}", xml[0]);
    assert!(xml[0].contains("<Hash-Cond>(a.id = kinds.kind_id)</Hash-Cond>"), "{}", xml[0]);

    let json = explained(&client, "FORMAT JSON", query).await;
    let json: serde_json::Value = serde_json::from_str(&json[0]).unwrap();
    let plan = &json[0]["Plan"];
    assert_eq!(plan["Node Type"], "Hash Join");
    assert!(plan["Total Cost"].as_f64() > Some(0.0));
    assert_eq!(plan["Plans"][1]["Plans"][0]["Plan Rows"], 10);
    let statement = client.prepare(&format!("EXPLAIN (FORMAT JSON) {query}")).await.unwrap();
    assert_eq!(statement.columns()[0].type_().name(), "json");
}

#[tokio::test]
async fn what_came_of_a_plan_is_told_where_it_came() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute(TABLES).await.unwrap();
    let query = "SELECT count(*) FROM t JOIN kinds ON id = kind_id WHERE id > 5";
    let json = explained(&client, "ANALYZE, FORMAT JSON", query).await;
    let json: serde_json::Value = serde_json::from_str(&json[0]).unwrap();
    assert!(json[0]["Execution Time"].as_f64() > Some(0.0));
    assert!(json[0]["Planning Time"].as_f64() > Some(0.0));

    let mut nodes = vec![json[0]["Plan"].clone()];
    let mut rows = Vec::new();
    while let Some(node) = nodes.pop() {
        nodes.extend(node["Plans"].as_array().cloned().unwrap_or_default());
        assert_eq!(node["Actual Loops"], 1, "{node}");
        let (startup, total) = (node["Actual Startup Time"].as_f64(), node["Actual Total Time"].as_f64());
        assert!(startup <= total, "{node}");
        rows.push((node["Node Type"].as_str().unwrap().to_owned(), node["Actual Rows"].as_u64().unwrap()));
    }
    for expected in [("Hash Join", 5), ("Hash", 5)] {
        assert!(rows.contains(&(expected.0.to_owned(), expected.1)), "{expected:?} in {rows:?}");
    }
    assert_eq!(rows[0].1, 1, "{rows:?}");
}

#[tokio::test]
async fn a_statement_with_parameters_is_explained_for_their_values() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute(TABLES).await.unwrap();
    let lines = client.query("EXPLAIN (COSTS OFF) SELECT * FROM t WHERE id = $1", &[&7i32]).await.unwrap();
    let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    assert_eq!(lines, ["Seq Scan on t", "  Filter: (id = 7)"]);
    client.query("EXPLAIN ANALYZE UPDATE t SET name = $2 WHERE id = $1", &[&7i32, &"seven"]).await.unwrap();
    let row = client.query_one("SELECT name FROM t WHERE id = 7", &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "seven");
}

#[tokio::test]
async fn what_is_explained_by_running_it_fails_as_it_would() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute(TABLES).await.unwrap();
    client.batch_execute("CREATE UNIQUE INDEX ON kinds (kind_id)").await.unwrap();
    for _ in 0..2 {
        let error = client.batch_execute("EXPLAIN ANALYZE INSERT INTO kinds VALUES (3)").await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "23505");
    }
    client.batch_execute("BEGIN; EXPLAIN ANALYZE DELETE FROM kinds; ROLLBACK").await.unwrap();
    let row = client.query_one("SELECT count(*) FROM kinds", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 10);
}

#[tokio::test]
async fn rows_without_a_partner_are_expected() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute(TABLES).await.unwrap();
    for query in [
        "SELECT id FROM t LEFT JOIN kinds ON id = kind_id WHERE kind_id IS NULL",
        "SELECT id FROM kinds RIGHT JOIN t ON id = kind_id WHERE kind_id IS NULL",
        "SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM kinds WHERE kind_id = id)",
    ] {
        let json = explained(&client, "FORMAT JSON", query).await;
        let json: serde_json::Value = serde_json::from_str(&json[0]).unwrap();
        let rows = json[0]["Plan"]["Plan Rows"].as_u64().unwrap();
        assert!((500..=1000).contains(&rows), "{rows} rows of 990 are expected of {query}");
    }
}
