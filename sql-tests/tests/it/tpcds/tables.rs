//! The 24 tables of TPC-DS at a small scale, always with the same rows.

use std::collections::HashSet;
use std::fmt::Write;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, RecordBatchReader};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::Int32Type;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tpcdsgen::config::{Session, SessionBuilder};
use tpcdsgen_arrow::{
    CallCenterArrow, CatalogPageArrow, CatalogReturnsArrow, CatalogSalesArrow, CustomerAddressArrow, CustomerArrow,
    CustomerDemographicsArrow, DateDimArrow, HouseholdDemographicsArrow, IncomeBandArrow, InventoryArrow, ItemArrow,
    PromotionArrow, ReasonArrow, ShipModeArrow, StoreArrow, StoreReturnsArrow, StoreSalesArrow, TimeDimArrow,
    WarehouseArrow, WebPageArrow, WebReturnsArrow, WebSalesArrow, WebSiteArrow,
};

/// 120,000 rows of `store_sales` of 1,000 customers.
const SCALE_FACTOR: f64 = 0.01;

/// A table and all of its rows.
pub struct Table {
    pub name: &'static str,
    pub rows: RecordBatch,
}

/// All tables, by name.
pub fn all() -> Vec<Table> {
    let mut tables = vec![
        table("call_center", CallCenterArrow::new(session())),
        table("catalog_page", CatalogPageArrow::new(session())),
        table("catalog_returns", CatalogReturnsArrow::new(session())),
        table("catalog_sales", CatalogSalesArrow::new(session())),
        table("customer", CustomerArrow::new(session())),
        table("customer_address", CustomerAddressArrow::new(session())),
        table("date_dim", DateDimArrow::new(session())),
        table("household_demographics", HouseholdDemographicsArrow::new(session())),
        table("income_band", IncomeBandArrow::new(session())),
        table("inventory", InventoryArrow::new(session())),
        table("item", ItemArrow::new(session())),
        table("promotion", PromotionArrow::new(session())),
        table("reason", ReasonArrow::new(session())),
        table("ship_mode", ShipModeArrow::new(session())),
        table("store", StoreArrow::new(session())),
        table("store_returns", StoreReturnsArrow::new(session())),
        table("store_sales", StoreSalesArrow::new(session())),
        table("time_dim", TimeDimArrow::new(session())),
        table("warehouse", WarehouseArrow::new(session())),
        table("web_page", WebPageArrow::new(session())),
        table("web_returns", WebReturnsArrow::new(session())),
        table("web_sales", WebSalesArrow::new(session())),
        table("web_site", WebSiteArrow::new(session())),
    ];
    let demographics = customer_demographics(&tables);
    tables.push(demographics);
    tables.sort_unstable_by_key(|table| table.name);
    tables
}

fn session() -> Session {
    SessionBuilder::new().with_scale_factor(SCALE_FACTOR).build().unwrap()
}

fn table(name: &'static str, reader: impl RecordBatchReader) -> Table {
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().unwrap();
    Table { name, rows: concat_batches(&schema, &batches).unwrap() }
}

/// The rows of `customer_demographics` that another table names. The other 98 of 100 would only take time.
fn customer_demographics(tables: &[Table]) -> Table {
    let mut named = HashSet::new();
    for table in tables {
        for (field, column) in table.rows.schema().fields().iter().zip(table.rows.columns()) {
            if field.name().ends_with("cdemo_sk") {
                named.extend(column.as_primitive::<Int32Type>().iter().flatten());
            }
        }
    }
    let reader = CustomerDemographicsArrow::new(session());
    let schema = reader.schema();
    let named_rows = |rows: RecordBatch| {
        let keys = rows.column_by_name("cd_demo_sk").unwrap().as_primitive::<Int32Type>();
        let is_named: BooleanArray = keys.iter().map(|key| key.map(|key| named.contains(&key))).collect();
        filter_record_batch(&rows, &is_named).unwrap()
    };
    let batches: Vec<_> = reader.map(|rows| named_rows(rows.unwrap())).collect();
    Table { name: "customer_demographics", rows: concat_batches(&schema, &batches).unwrap() }
}

impl Table {
    /// The rows for a COPY with FORMAT csv. NULL is nothing, all else is in quotes.
    pub fn csv(&self) -> String {
        let options = FormatOptions::default();
        let columns = self.rows.columns().iter();
        let columns: Vec<_> =
            columns.map(|column| (column, ArrayFormatter::try_new(column, &options).unwrap())).collect();
        let mut csv = String::new();
        for row in 0..self.rows.num_rows() {
            for (number, (column, formatter)) in columns.iter().enumerate() {
                csv.push_str(if number == 0 { "" } else { "," });
                if column.is_valid(row) {
                    write!(csv, "\"{}\"", formatter.value(row)).unwrap();
                }
            }
            csv.push('\n');
        }
        csv
    }
}
