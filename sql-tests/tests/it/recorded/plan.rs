//! The plans of queries, as EXPLAIN shows them, beside the queries: a change of a plan is seen where it is reviewed.

use std::fs;

use tokio_postgres::Client;

use super::RecordedQuery;

/// Writes plans down where it is set; `sql-tests/record-plans` does.
const RECORDS: &str = "RECORD_PLANS";

const SETTLED: &str = "ANALYZE; SET thermocline.workers_per_query = 2; SET thermocline.join_order_rows_min = 0";
const EXTERNAL_TABLES: &str =
    "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM svv_external_tables";

/// Makes plans the same on all machines: how many workers there are, and what is known of the tables.
pub async fn settle(client: &Client) {
    client.batch_execute(SETTLED).await.unwrap();
    for table in client.query(EXTERNAL_TABLES, &[]).await.unwrap() {
        client.batch_execute(&format!("ANALYZE {}", table.get::<_, String>(0))).await.unwrap();
    }
}

impl RecordedQuery {
    /// How its plan differs from the recorded one.
    pub async fn plan_difference(&self, client: &Client) -> Option<String> {
        let lines = client.query(&format!("EXPLAIN (COSTS OFF) {}", self.sql), &[]).await;
        let lines = match lines {
            Ok(lines) => lines,
            Err(error) => return Some(format!("{}: {error:?}", self.name)),
        };
        let plan: String = lines.iter().map(|line| line.get::<_, String>(0) + "\n").collect();
        let file = self.file("plans");
        if std::env::var_os(RECORDS).is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &plan).unwrap();
        }
        let recorded = fs::read_to_string(&file).unwrap_or_default();
        let differs = recorded.lines().zip(plan.lines()).position(|(recorded, plan)| recorded != plan);
        (recorded != plan).then(|| {
            let line = differs.unwrap_or_else(|| recorded.lines().count().min(plan.lines().count()));
            let at = |plan: &str| plan.lines().nth(line).unwrap_or("nothing").trim().to_owned();
            format!("{}: line {}: {} instead of {}", self.name, line + 1, at(&plan), at(&recorded))
        })
    }
}
