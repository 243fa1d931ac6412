//! TPC-H's 22 queries over hot and external tables at once, against the answers that PostgreSQL gave.
//!
//! The six small tables are hot and filled through COPY; `orders` and `lineitem` are Parquet in object storage, in
//! partitions by year. The queries are those below `tpch/`, PostgreSQL's answers are beside them: `record-tpc` loads the
//! same rows into a PostgreSQL and writes them down.

use std::fmt::{Display, Write};

use arrow::array::{AsArray, Int32Array, RecordBatch, RecordBatchReader, Scalar};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::{DatePart, concat_batches, date_part, filter_record_batch};
use arrow::datatypes::Int32Type;
use object_store::ObjectStore;
use tokio_postgres::Client;
use tpchgen::csv::{CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{LineItemArrow, OrderArrow};

use crate::client::copy_in;
use crate::fixtures;
use crate::recorded::plan::settle;
use crate::recorded::{RecordedQuery, postgresql};
use crate::support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use crate::support::server::TestServer;

/// 60,000 rows of `lineitem`: every query has something to do, and all of them together take seconds.
const SCALE_FACTOR: f64 = 0.01;

const QUERIES: usize = 22;

const BUCKET: &str = "tpch";

/// The hot tables.
const HOT_TABLES: &str = "
    CREATE TABLE region (r_regionkey bigint NOT NULL, r_name varchar(25) NOT NULL, r_comment varchar(152));
    CREATE TABLE nation (n_nationkey bigint NOT NULL, n_name varchar(25) NOT NULL, n_regionkey bigint NOT NULL,
        n_comment varchar(152));
    CREATE TABLE supplier (s_suppkey bigint NOT NULL, s_name varchar(25) NOT NULL, s_address varchar(40) NOT NULL,
        s_nationkey bigint NOT NULL, s_phone varchar(15) NOT NULL, s_acctbal numeric(15,2) NOT NULL,
        s_comment varchar(101) NOT NULL);
    CREATE TABLE customer (c_custkey bigint NOT NULL, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL,
        c_nationkey bigint NOT NULL, c_phone varchar(15) NOT NULL, c_acctbal numeric(15,2) NOT NULL,
        c_mktsegment varchar(10) NOT NULL, c_comment varchar(117) NOT NULL);
    CREATE TABLE part (p_partkey bigint NOT NULL, p_name varchar(55) NOT NULL, p_mfgr varchar(25) NOT NULL,
        p_brand varchar(10) NOT NULL, p_type varchar(25) NOT NULL, p_size integer NOT NULL,
        p_container varchar(10) NOT NULL, p_retailprice numeric(15,2) NOT NULL, p_comment varchar(23) NOT NULL);
    CREATE TABLE partsupp (ps_partkey bigint NOT NULL, ps_suppkey bigint NOT NULL, ps_availqty integer NOT NULL,
        ps_supplycost numeric(15,2) NOT NULL, ps_comment varchar(199) NOT NULL);";

/// The columns of the two tables that are external with us.
const ORDERS_COLUMNS: &str =
    "o_orderkey bigint, o_custkey bigint, o_orderstatus varchar(1), o_totalprice numeric(15,2),
    o_orderdate date, o_orderpriority varchar(15), o_clerk varchar(15), o_shippriority integer, o_comment varchar(79)";

const LINEITEM_COLUMNS: &str = "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber integer,
    l_quantity numeric(15,2), l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2),
    l_returnflag varchar(1), l_linestatus varchar(1), l_shipdate date, l_commitdate date, l_receiptdate date,
    l_shipinstruct varchar(25), l_shipmode varchar(10), l_comment varchar(44)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_queries_answer_as_postgresql_does() {
    let s3 = S3Server::start().await;
    s3.create_bucket(BUCKET);
    let server = TestServer::builder()
        .env("THERMOCLINE_S3_ENDPOINT", s3.endpoint())
        .env("THERMOCLINE_S3_REGION", REGION)
        .env("THERMOCLINE_S3_ACCESS_KEY_ID", ACCESS_KEY)
        .env("THERMOCLINE_S3_SECRET_ACCESS_KEY", SECRET_KEY)
        .start()
        .await;
    let client = server.connect().await;
    fill_hot_tables(&client).await;
    fill_external_tables(&client, &*s3.object_store(BUCKET)).await;
    client.batch_execute("SET search_path TO public, lake").await.unwrap();

    let queries = RecordedQuery::of_folder("tpch");
    assert_eq!(queries.len(), QUERIES);
    let mut failures = Vec::new();
    for query in &queries {
        assert!(!query.recorded().rows.is_empty(), "{} shows nothing at this scale", query.name);
        failures.extend(query.difference(&client).await);
    }
    let passed = QUERIES - failures.len();
    assert!(failures.is_empty(), "{passed} of {QUERIES} queries passed\n{}", failures.join("\n"));

    settle(&client).await;
    for query in &queries {
        failures.extend(query.plan_difference(&client).await);
    }
    assert!(failures.is_empty(), "plans have changed, see sql-tests/record-plans\n{}", failures.join("\n"));
}

#[tokio::test]
#[ignore = "writes what PostgreSQL answers; sql-tests/record-tpc runs it"]
async fn record_tpch() {
    let client = postgresql("tpch").await;
    fill_hot_tables(&client).await;
    for (table, columns) in [("orders", ORDERS_COLUMNS), ("lineitem", LINEITEM_COLUMNS)] {
        client.batch_execute(&format!("CREATE TABLE {table} ({columns})")).await.unwrap();
    }
    fill(&client, "orders", csv(OrderGenerator::new(SCALE_FACTOR, 1, 1).iter().map(OrderCsv::new))).await;
    fill(&client, "lineitem", csv(LineItemGenerator::new(SCALE_FACTOR, 1, 1).iter().map(LineItemCsv::new))).await;
    client.batch_execute("ANALYZE").await.unwrap();
    for query in RecordedQuery::of_folder("tpch") {
        query.record(&client).await;
    }
}

async fn fill_hot_tables(client: &Client) {
    client.batch_execute(HOT_TABLES).await.unwrap();
    let tables = [
        ("region", csv(RegionGenerator::new(SCALE_FACTOR, 1, 1).iter().map(RegionCsv::new))),
        ("nation", csv(NationGenerator::new(SCALE_FACTOR, 1, 1).iter().map(NationCsv::new))),
        ("supplier", csv(SupplierGenerator::new(SCALE_FACTOR, 1, 1).iter().map(SupplierCsv::new))),
        ("customer", csv(CustomerGenerator::new(SCALE_FACTOR, 1, 1).iter().map(CustomerCsv::new))),
        ("part", csv(PartGenerator::new(SCALE_FACTOR, 1, 1).iter().map(PartCsv::new))),
        ("partsupp", csv(PartSuppGenerator::new(SCALE_FACTOR, 1, 1).iter().map(PartSuppCsv::new))),
    ];
    for (table, csv) in tables {
        fill(client, table, csv).await;
    }
}

async fn fill(client: &Client, table: &str, csv: String) {
    let lines = csv.lines().count() as u64;
    let copied = copy_in(client, &format!("COPY {table} FROM STDIN (FORMAT csv)"), csv).await;
    assert_eq!(copied.unwrap(), lines, "{table}");
}

fn csv(rows: impl Iterator<Item = impl Display>) -> String {
    rows.fold(String::new(), |mut csv, row| {
        writeln!(csv, "{row}").unwrap();
        csv
    })
}

/// The year of a row is not in the files: it is the partition's.
async fn fill_external_tables(client: &Client, store: &dyn ObjectStore) {
    client.batch_execute("CREATE EXTERNAL SCHEMA lake FROM DATA CATALOG DATABASE 'tpch'").await.unwrap();
    let orders = all_rows(OrderArrow::new(OrderGenerator::new(SCALE_FACTOR, 1, 1)));
    let lineitem = all_rows(LineItemArrow::new(LineItemGenerator::new(SCALE_FACTOR, 1, 1)));
    let tables = [
        ("orders", ORDERS_COLUMNS, "order_year", orders, "o_orderdate"),
        ("lineitem", LINEITEM_COLUMNS, "ship_year", lineitem, "l_shipdate"),
    ];
    for (table, columns, partition_column, rows, date_column) in tables {
        let create = format!(
            "CREATE EXTERNAL TABLE lake.{table} ({columns}) PARTITIONED BY ({partition_column} integer)
             STORED AS PARQUET LOCATION 's3://{BUCKET}/{table}/'"
        );
        client.batch_execute(&create).await.unwrap();
        fill_external_table(client, store, table, partition_column, &rows, date_column).await;
    }
}

/// Writes a file for each year, and registers all of them as partitions in one statement.
async fn fill_external_table(
    client: &Client,
    store: &dyn ObjectStore,
    table: &str,
    partition_column: &str,
    rows: &RecordBatch,
    date_column: &str,
) {
    let mut add_partitions = format!("ALTER TABLE lake.{table} ADD");
    for (year, rows) in by_year(rows, date_column) {
        let folder = format!("{table}/{partition_column}={year}");
        fixtures::put(store, &format!("{folder}/part-0.parquet"), fixtures::file(&rows)).await;
        write!(add_partitions, " PARTITION ({partition_column}={year}) LOCATION 's3://{BUCKET}/{folder}/'").unwrap();
    }
    client.batch_execute(&add_partitions).await.unwrap();
}

fn by_year(rows: &RecordBatch, date_column: &str) -> Vec<(i32, RecordBatch)> {
    let years = date_part(rows.column_by_name(date_column).unwrap(), DatePart::Year).unwrap();
    let mut distinct: Vec<i32> = years.as_primitive::<Int32Type>().values().to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let rows_of = |year| {
        let mask = eq(&years, &Scalar::new(Int32Array::from(vec![year]))).unwrap();
        filter_record_batch(rows, &mask).unwrap()
    };
    distinct.into_iter().map(|year| (year, rows_of(year))).collect()
}

fn all_rows(reader: impl RecordBatchReader) -> RecordBatch {
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().unwrap();
    concat_batches(&schema, &batches).unwrap()
}
