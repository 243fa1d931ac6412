//! What SHOW TABLE, SHOW VIEW and SHOW EXTERNAL TABLE show is a statement that makes the same relation again.

use object_store::local::LocalFileSystem;

use crate::client::value;
use crate::fixtures;
use crate::support::server::TestServer;

/// A table with everything that a definition can say.
const TABLE: &str = r#"CREATE TABLE shop.orders (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY 2) NOT NULL,
    name character varying(40) DEFAULT 'nobody' NOT NULL,
    price numeric(10,2),
    twice numeric GENERATED ALWAYS AS (price * 2) STORED,
    "Odd name" text[],
    CONSTRAINT orders_name_price_key UNIQUE (name, price),
    CONSTRAINT orders_pkey PRIMARY KEY (id),
    CONSTRAINT orders_price_check CHECK ((price > 0))
)
SORTKEY (name, id);"#;
const VIEW: &str = "CREATE VIEW shop.names AS\nSELECT name FROM shop.orders;";

/// What is shown of a relation, before and after it is made of it.
async fn assert_is_made_again(client: &tokio_postgres::Client, show: &str, kind: &str, name: &str, made_by: &str) {
    client.batch_execute(made_by).await.unwrap();
    assert_eq!(value(client, &format!("SHOW {show}")).await, made_by);
    client.batch_execute(&format!("DROP {kind} {name}")).await.unwrap();
    client.batch_execute(made_by).await.unwrap();
    assert_eq!(value(client, &format!("SHOW {show}")).await, made_by);
}

#[tokio::test]
async fn tables_and_views_are_made_again_of_what_is_shown() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE SCHEMA shop").await.unwrap();
    assert_is_made_again(&client, "TABLE shop.orders", "TABLE", "shop.orders", TABLE).await;
    assert_is_made_again(&client, "VIEW shop.names", "VIEW", "shop.names", VIEW).await;
}

#[tokio::test]
async fn external_tables_and_their_partitions_are_made_again_of_what_is_shown() {
    let root = tempfile::tempdir().unwrap();
    fixtures::put_all(&LocalFileSystem::new_with_prefix(root.path()).unwrap(), "").await;
    let server = TestServer::builder().arg("--external-root").arg(root.path()).start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE EXTERNAL SCHEMA lake FROM DATA CATALOG DATABASE 'lake'").await.unwrap();
    let sales = format!("file://{}/sales", root.path().canonicalize().unwrap().display());
    let table = format!(
        "CREATE EXTERNAL TABLE lake.sales (
    id bigint,
    amount numeric(10,2)
)
PARTITIONED BY (year integer, region character varying(8))
STORED AS PARQUET
LOCATION '{sales}/';"
    );
    let partition = |year: u16, region: &str, folder: &str| {
        format!(
            "\nALTER TABLE lake.sales ADD IF NOT EXISTS PARTITION (year = '{year}', region = '{region}')\nLOCATION '{sales}/{folder}/';"
        )
    };
    assert_is_made_again(&client, "EXTERNAL TABLE lake.sales", "TABLE", "lake.sales", &table).await;
    client.batch_execute("DROP TABLE lake.sales").await.unwrap();
    let partitioned = table + &partition(2023, "it''s", "2023") + &partition(2024, "eu", "2024");
    assert_is_made_again(&client, "EXTERNAL TABLE lake.sales PARTITION", "TABLE", "lake.sales", &partitioned).await;
    assert_eq!(value(&client, "SELECT count(*) FROM lake.sales WHERE region = 'it''s'").await, "2");
}

#[tokio::test]
async fn the_format_of_an_external_table_is_made_again() {
    let root = tempfile::tempdir().unwrap();
    fixtures::put_all(&LocalFileSystem::new_with_prefix(root.path()).unwrap(), "").await;
    let server = TestServer::builder().arg("--external-root").arg(root.path()).start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE EXTERNAL SCHEMA lake FROM DATA CATALOG DATABASE 'lake'").await.unwrap();
    let folder = format!("file://{}/csv/", root.path().canonicalize().unwrap().display());
    for row_format in [
        r#"SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
WITH SERDEPROPERTIES ('escapeChar'=E'\\\\', 'quoteChar'='''', 'separatorChar'=E'\\t', 'serialization.null.format'='')"#,
        r#"SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
WITH SERDEPROPERTIES ('escapeChar'='', 'quoteChar'='"', 'separatorChar'=',', 'serialization.null.format'='NULL')"#,
        r#"SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
WITH SERDEPROPERTIES ('escape.delim'=E'\\\\', 'field.delim'=E'\\001', 'serialization.null.format'=E'\\N')"#,
        "SERDE 'org.openx.data.jsonserde.JsonSerDe'",
    ] {
        let table = format!(
            "CREATE EXTERNAL TABLE lake.lines (
    id integer,
    name text
)
ROW FORMAT {row_format}
STORED AS TEXTFILE
LOCATION '{folder}'
TABLE PROPERTIES ('compression_type'='none');"
        );
        assert_is_made_again(&client, "EXTERNAL TABLE lake.lines", "TABLE", "lake.lines", &table).await;
        client.batch_execute("DROP TABLE lake.lines").await.unwrap();
    }
}
