//! What the demo asks: each query joins hot tables with the external one.

use std::time::Instant;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::util::pretty::pretty_format_batches;
use datafusion::error::DataFusionError;

use crate::demo::Demo;
use crate::error::Result;

/// For the reader to run next.
pub const QUERY_TO_TRY: &str = "SELECT dest, count(*) FROM demo_lake.flights GROUP BY dest ORDER BY 2 DESC LIMIT 5";

struct Question {
    title: &'static str,
    sql: &'static str,
}

const QUESTIONS: &[Question] = &[
    Question {
        title: "Which airlines were late most often? (hot airlines, a year of external flights)",
        sql: "SELECT a.name AS airline, count(*) AS flights,
       round(100.0 * sum(CASE WHEN f.arr_delay > 15 THEN 1 ELSE 0 END) / count(*), 1) AS late_percent
FROM demo_lake.flights f JOIN demo.airlines a ON a.carrier = f.carrier
WHERE f.arr_delay IS NOT NULL
GROUP BY a.name
ORDER BY late_percent DESC
LIMIT 5",
    },
    Question {
        title: "Does wind delay departures? (hot weather, two of twelve partitions)",
        sql: "SELECT f.origin, w.wind_speed > 20 AS windy, count(*) AS flights, round(avg(f.dep_delay), 1) AS minutes_late
FROM demo_lake.flights f JOIN demo.weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
WHERE f.month IN (1, 2) AND w.wind_speed IS NOT NULL
GROUP BY f.origin, w.wind_speed > 20
ORDER BY f.origin, windy",
    },
    Question {
        title: "Who built what flew furthest in July? (hot planes and airports, one partition)",
        sql: "SELECT p.manufacturer, count(DISTINCT f.tailnum) AS planes, count(*) AS flights,
       sum(f.distance) AS miles, max(d.name) AS a_destination
FROM demo_lake.flights f
JOIN demo.planes p ON p.tailnum = f.tailnum
JOIN demo.airports d ON d.faa = f.dest
WHERE f.month = 7
GROUP BY p.manufacturer
ORDER BY miles DESC
LIMIT 5",
    },
];

pub(super) async fn run(demo: &mut Demo) -> Result<()> {
    for Question { title, sql } in QUESTIONS {
        println!("\n-- {title}\n{sql};");
        let begun = Instant::now();
        let rows = demo.query(sql).await?;
        let taken = begun.elapsed();
        println!("{}", pretty_format_batches(&rows).map_err(DataFusionError::from)?);
        println!("({:.0} ms)\n\nEXPLAIN ANALYZE", taken.as_secs_f64() * 1000.0);
        for batch in demo.query(&format!("EXPLAIN ANALYZE {sql}")).await? {
            let lines = cast(batch.column(0), &DataType::Utf8).map_err(DataFusionError::from)?;
            for line in lines.as_string::<i32>().iter().flatten() {
                println!("  {line}");
            }
        }
    }
    println!();
    Ok(())
}
