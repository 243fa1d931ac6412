//! The small tables, hot: airlines, airports, planes, weather.

use crate::demo::{Demo, write_file};
use crate::error::Result;

struct Source {
    name: &'static str,
    columns: &'static str,
    parquet: &'static [u8],
}

const SOURCES: &[Source] = &[
    Source {
        name: "airlines",
        columns: "carrier varchar(2), name text",
        parquet: include_bytes!("data/airlines.parquet"),
    },
    Source {
        name: "airports",
        columns: "faa varchar(3), name text, lat double precision, lon double precision, alt smallint, tz smallint, \
                  dst char(1), tzone text",
        parquet: include_bytes!("data/airports.parquet"),
    },
    Source {
        name: "planes",
        columns: "tailnum varchar(6), year smallint, type text, manufacturer text, model text, engines smallint, \
                  seats smallint, speed smallint, engine text",
        parquet: include_bytes!("data/planes.parquet"),
    },
    Source {
        name: "weather",
        columns: "origin varchar(3), year smallint, month smallint, day smallint, hour smallint, \
                  temp double precision, dewp double precision, humid double precision, wind_dir smallint, \
                  wind_speed double precision, wind_gust double precision, precip double precision, \
                  pressure double precision, visib double precision, time_hour timestamp",
        parquet: include_bytes!("data/weather.parquet"),
    },
];

/// Makes the tables anew and fills them from Parquet files through an external table each.
pub(super) async fn load(demo: &mut Demo) -> Result<()> {
    demo.run("DROP SCHEMA IF EXISTS demo CASCADE; DROP SCHEMA IF EXISTS demo_lake CASCADE").await?;
    demo.run("CREATE SCHEMA demo; CREATE EXTERNAL SCHEMA demo_lake FROM DATA CATALOG DATABASE 'demo'").await?;
    for Source { name, columns, parquet } in SOURCES {
        write_file(&demo.folder.join("source").join(name).join("data.parquet"), parquet)?;
        let location = format!("{}source/{name}/", demo.folder_url);
        demo.run(&format!(
            "CREATE EXTERNAL TABLE demo_lake.{name}_source ({columns}) STORED AS PARQUET LOCATION '{location}';
             CREATE TABLE demo.{name} ({columns});
             INSERT INTO demo.{name} SELECT * FROM demo_lake.{name}_source;
             DROP TABLE demo_lake.{name}_source"
        ))
        .await?;
    }
    println!("hot tables:     demo.airlines, demo.airports, demo.planes, demo.weather");
    Ok(())
}
