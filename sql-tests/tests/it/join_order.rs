//! The order of joins is chosen by what is known of the tables, not by how the query lists them.

use tokio_postgres::Client;

use crate::client::value;
use crate::support::server::TestServer;

const TABLES: [&str; 6] = [
    "CREATE TABLE sales (day_id int, item_id int, store_id int, amount int)",
    "INSERT INTO sales SELECT g % 365, g % 1000, g % 10, g % 97 FROM generate_series(1, 20000) AS g",
    "CREATE TABLE day AS SELECT g AS day_id, g / 30 AS month FROM generate_series(0, 364) AS g",
    "CREATE TABLE item AS SELECT g AS item_id, g % 50 AS brand FROM generate_series(0, 999) AS g",
    "CREATE TABLE store AS SELECT g AS store_id, g % 3 AS city_id FROM generate_series(0, 9) AS g",
    "CREATE TABLE city AS SELECT g AS city_id, 'city ' || g AS name FROM generate_series(0, 2) AS g",
];

const CONDITIONS: &str =
    "sales.day_id = day.day_id AND item.item_id = sales.item_id AND store.store_id = sales.store_id
     AND store.city_id = city.city_id AND month = 3 AND brand = 7 AND name = 'city 1'";

async fn server() -> (TestServer, Client) {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    for statement in TABLES {
        client.batch_execute(statement).await.unwrap();
    }
    client.batch_execute("ANALYZE").await.unwrap();
    (server, client)
}

/// Which tables a plan joins with which, from the top to the bottom.
async fn plan(client: &Client, query: &str) -> Vec<String> {
    let lines = client.query(&format!("EXPLAIN (COSTS OFF) {query}"), &[]).await.unwrap();
    let lines = lines.iter().map(|line| line.get::<_, String>(0));
    let part = |line: String| {
        let node = line.trim_start_matches([' ', '-', '>']).to_owned();
        node.split_once(" Scan on ")
            .map(|(_, table)| table.to_owned())
            .or_else(|| node.contains("Join").then_some(node))
    };
    lines.filter_map(part).collect()
}

/// Every order of some things.
fn orders<'a>(things: &[&'a str]) -> Vec<Vec<&'a str>> {
    match things {
        [] => vec![Vec::new()],
        _ => (0..things.len())
            .flat_map(|place| {
                let mut others = things.to_vec();
                let first = others.remove(place);
                orders(&others).into_iter().map(move |rest| [vec![first], rest].concat())
            })
            .collect(),
    }
}

#[tokio::test]
async fn the_order_of_from_does_not_matter() {
    let (_server, client) = server().await;
    let query = |tables: &[&str]| format!("SELECT sum(amount) FROM {} WHERE {CONDITIONS}", tables.join(", "));
    let orders = orders(&["sales", "day", "item", "store", "city"]);
    let expected = plan(&client, &query(&orders[0])).await;
    for tables in &orders {
        assert_eq!(plan(&client, &query(tables)).await, expected, "{tables:?}");
    }
    let sum = value(&client, &query(&orders[0])).await;
    client.batch_execute("SET join_collapse_limit = 1").await.unwrap();
    assert_ne!(plan(&client, &query(&orders[0])).await, expected, "they stay as they are written");
    assert_eq!(value(&client, &query(&orders[0])).await, sum);
}

#[tokio::test]
async fn values_of_a_query_are_looked_for_by_a_join() {
    let (_server, client) = server().await;
    for data_type in ["text", "varchar", "varchar(20)", "char(20)", "bigint", "numeric", "date"] {
        client
            .batch_execute(&format!("CREATE TABLE one (a {data_type}); CREATE TABLE two (a {data_type})"))
            .await
            .unwrap();
        let plan = plan(&client, "SELECT count(*) FROM one WHERE a IN (SELECT a FROM two)").await;
        assert_eq!(plan, ["Hash Right Semi Join", "two", "one"], "{data_type}");
        client.batch_execute("DROP TABLE one, two").await.unwrap();
    }
}

#[tokio::test]
async fn few_rows_are_joined_as_they_are_written() {
    let (_server, client) = server().await;
    let query = "SELECT count(*) FROM store a, store b, city c WHERE a.city_id = c.city_id AND b.city_id = c.city_id
                 AND c.name = 'city 1' AND a.store_id = b.store_id";
    let written = plan(&client, query).await;
    client.batch_execute("SET join_collapse_limit = 1").await.unwrap();
    assert_eq!(plan(&client, query).await, written);
}
