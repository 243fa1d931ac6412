//! TPC-H's 22 queries over hot and external tables at once, against the engine without Thermocline.
//!
//! The six small tables are hot and filled through COPY; `orders` and `lineitem` are Parquet in object storage, in
//! partitions by year. The queries are those below `tpch/`, the reference is DataFusion over the same rows in memory.

use std::fmt::{Display, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, Int32Array, RecordBatch, RecordBatchReader, Scalar};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::{DatePart, concat_batches, date_part, filter_record_batch};
use arrow::datatypes::Int32Type;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use object_store::ObjectStore;
use tokio_postgres::Client;
use tpchgen::csv::{CustomerCsv, NationCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow, SupplierArrow,
};

use crate::client::{NULL, copy_in, rows};
use crate::fixtures;
use crate::support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use crate::support::server::TestServer;

/// 60,000 rows of `lineitem`: every query has something to do, and all of them together take seconds.
const SCALE_FACTOR: f64 = 0.01;

const QUERIES: u32 = 22;

/// Queries whose ORDER BY may leave rows in a tie. Their answers are compared as sorted lists.
const PARTLY_ORDERED: [u32; 5] = [3, 5, 10, 11, 18];

/// By how much a floating-point number may differ, relative to the larger of the two: sums depend on the order of rows.
const FLOAT_TOLERANCE: f64 = 1e-9;

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

/// The external tables. The year of a row is not in the files: it is the partition's.
const EXTERNAL_TABLES: [&str; 3] = [
    "CREATE EXTERNAL SCHEMA lake FROM DATA CATALOG DATABASE 'tpch'",
    "CREATE EXTERNAL TABLE lake.orders (o_orderkey bigint, o_custkey bigint, o_orderstatus varchar(1),
        o_totalprice numeric(15,2), o_orderdate date, o_orderpriority varchar(15), o_clerk varchar(15),
        o_shippriority integer, o_comment varchar(79))
     PARTITIONED BY (order_year integer) STORED AS PARQUET LOCATION 's3://tpch/orders/'",
    "CREATE EXTERNAL TABLE lake.lineitem (l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber integer,
        l_quantity numeric(15,2), l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2),
        l_returnflag varchar(1), l_linestatus varchar(1), l_shipdate date, l_commitdate date, l_receiptdate date,
        l_shipinstruct varchar(25), l_shipmode varchar(10), l_comment varchar(44))
     PARTITIONED BY (ship_year integer) STORED AS PARQUET LOCATION 's3://tpch/lineitem/'",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_queries_answer_as_the_engine_does() {
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

    let reference = reference();
    let mut failures = Vec::new();
    for number in 1..=QUERIES {
        let query = query(number);
        let expected = Answer::of_engine(&reference, &query).await;
        assert!(!expected.rows.is_empty(), "query {number} shows nothing at this scale");
        let difference = match rows(&client, &query).await {
            Ok(actual) => expected.difference(&actual, Order::of_query(number)),
            Err(error) => Some(error.to_string()),
        };
        failures.extend(difference.map(|difference| format!("query {number}: {difference}")));
    }
    let passed = QUERIES as usize - failures.len();
    assert!(failures.is_empty(), "{passed} of {QUERIES} queries passed\n{}", failures.join("\n"));
}

fn query(number: u32) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tpch/q{number:02}.sql"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
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
        let lines = csv.lines().count() as u64;
        let copied = copy_in(client, &format!("COPY {table} FROM STDIN (FORMAT csv)"), csv).await;
        assert_eq!(copied.unwrap(), lines, "{table}");
    }
}

fn csv(rows: impl Iterator<Item = impl Display>) -> String {
    rows.fold(String::new(), |mut csv, row| {
        writeln!(csv, "{row}").unwrap();
        csv
    })
}

async fn fill_external_tables(client: &Client, store: &dyn ObjectStore) {
    for statement in EXTERNAL_TABLES {
        client.batch_execute(statement).await.unwrap();
    }
    fill_external_table(client, store, "orders", "order_year", &orders(), "o_orderdate").await;
    fill_external_table(client, store, "lineitem", "ship_year", &lineitem(), "l_shipdate").await;
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

fn orders() -> RecordBatch {
    all_rows(OrderArrow::new(OrderGenerator::new(SCALE_FACTOR, 1, 1)))
}

fn lineitem() -> RecordBatch {
    all_rows(LineItemArrow::new(LineItemGenerator::new(SCALE_FACTOR, 1, 1)))
}

fn all_rows(reader: impl RecordBatchReader) -> RecordBatch {
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().unwrap();
    concat_batches(&schema, &batches).unwrap()
}

/// The engine alone, with the same rows in memory.
fn reference() -> SessionContext {
    // As PostgreSQL reads 0.05; the queries compare such literals with decimals.
    let config = SessionConfig::new().set_bool("datafusion.sql_parser.parse_float_as_decimal", true);
    let context = SessionContext::new_with_config(config);
    let tables = [
        ("region", all_rows(RegionArrow::new(RegionGenerator::new(SCALE_FACTOR, 1, 1)))),
        ("nation", all_rows(NationArrow::new(NationGenerator::new(SCALE_FACTOR, 1, 1)))),
        ("supplier", all_rows(SupplierArrow::new(SupplierGenerator::new(SCALE_FACTOR, 1, 1)))),
        ("customer", all_rows(CustomerArrow::new(CustomerGenerator::new(SCALE_FACTOR, 1, 1)))),
        ("part", all_rows(PartArrow::new(PartGenerator::new(SCALE_FACTOR, 1, 1)))),
        ("partsupp", all_rows(PartSuppArrow::new(PartSuppGenerator::new(SCALE_FACTOR, 1, 1)))),
        ("orders", orders()),
        ("lineitem", lineitem()),
    ];
    for (name, rows) in tables {
        let table = MemTable::try_new(rows.schema(), vec![vec![rows]]).unwrap();
        context.register_table(name, Arc::new(table)).unwrap();
    }
    context
}

/// What a query should answer.
#[derive(Clone)]
struct Answer {
    rows: Vec<Vec<String>>,
    /// For each column, whether it holds floating-point numbers.
    is_float: Vec<bool>,
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Total,
    Partial,
}

impl Order {
    fn of_query(number: u32) -> Order {
        if PARTLY_ORDERED.contains(&number) { Order::Partial } else { Order::Total }
    }
}

impl Answer {
    async fn of_engine(context: &SessionContext, query: &str) -> Answer {
        let frame = context.sql(query).await.unwrap();
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await.unwrap();
        Answer {
            rows: batches.iter().flat_map(text_rows).collect(),
            is_float: schema.fields().iter().map(|field| field.data_type().is_floating()).collect(),
        }
    }

    /// The first difference, or `None` if the answers are the same.
    fn difference(&self, actual: &[Vec<String>], order: Order) -> Option<String> {
        let (mut expected, mut actual) = (self.rows.clone(), actual.to_vec());
        if expected.len() != actual.len() {
            return Some(format!("{} rows instead of {}", actual.len(), expected.len()));
        }
        if order == Order::Partial {
            expected.sort_unstable();
            actual.sort_unstable();
        }
        expected.iter().zip(&actual).enumerate().find_map(|(number, (expected, actual))| {
            (!self.is_same(expected, actual)).then(|| format!("row {number}: {actual:?} instead of {expected:?}"))
        })
    }

    fn is_same(&self, expected: &[String], actual: &[String]) -> bool {
        expected.len() == actual.len()
            && expected.iter().zip(actual).zip(&self.is_float).all(|((expected, actual), is_float)| {
                without_trailing_zeros(expected) == without_trailing_zeros(actual)
                    || (*is_float && is_close(expected, actual))
            })
    }
}

fn text_rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null(NULL);
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| column.value(row).to_string()).collect()).collect()
}

/// `1.50` and `1.5` are the same number. A text with a point in it loses its zeros too, in both answers alike.
fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn is_close(expected: &str, actual: &str) -> bool {
    match (expected.parse::<f64>(), actual.parse::<f64>()) {
        (Ok(expected), Ok(actual)) => (expected - actual).abs() <= FLOAT_TOLERANCE * expected.abs().max(actual.abs()),
        _ => false,
    }
}

#[tokio::test]
async fn a_planted_wrong_value_is_noticed() {
    let answer = Answer::of_engine(&reference(), &query(1)).await;
    assert_eq!(answer.rows.len(), 4, "{:?}", answer.rows);
    assert_eq!(answer.difference(&answer.rows, Order::Total), None);
    for row in 0..answer.rows.len() {
        for column in 0..answer.rows[row].len() {
            let mut planted = answer.rows.clone();
            planted[row][column] = off_by_a_little(&planted[row][column]);
            assert!(answer.difference(&planted, Order::Total).is_some(), "row {row}, column {column}");
            assert!(answer.difference(&planted, Order::Partial).is_some(), "row {row}, column {column}");
        }
    }
}

/// The number with another last digit, of those that count; the text with something before it.
fn off_by_a_little(text: &str) -> String {
    let number = without_trailing_zeros(text);
    match number.chars().last().and_then(|last| last.to_digit(10)) {
        Some(digit) => format!("{}{}", &number[..number.len() - 1], (digit + 1) % 10),
        None => format!("?{text}"),
    }
}

#[test]
fn a_missing_row_and_a_wrong_order_are_noticed() {
    let rows = vec![vec!["1".to_owned()], vec!["2".to_owned()]];
    let answer = Answer { rows: rows.clone(), is_float: vec![false] };
    let reversed: Vec<_> = rows.iter().rev().cloned().collect();
    assert!(answer.difference(&rows[..1], Order::Partial).is_some());
    assert!(answer.difference(&reversed, Order::Total).is_some());
    assert_eq!(answer.difference(&reversed, Order::Partial), None);
}

#[test]
fn floats_may_differ_in_the_last_digits_and_decimals_may_not() {
    let answer = Answer { rows: vec![vec!["0.3".to_owned()]], is_float: vec![true] };
    let close = [vec!["0.30000000000000004".to_owned()]];
    assert_eq!(answer.difference(&close, Order::Total), None);
    assert!(answer.difference(&[vec!["0.3001".to_owned()]], Order::Total).is_some());
    assert!(Answer { is_float: vec![false], ..answer }.difference(&close, Order::Total).is_some());
}
