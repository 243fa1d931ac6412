//! Sessions whose statements are interleaved in a given order, and transactions that meet by chance.

use std::path::Path;

use sql_tests::isolation::anomalies::{find, is_forbidden};
use sql_tests::isolation::schedule::{LEVELS, Schedule};
use sql_tests::isolation::workload::{Plan, run};
use sql_tests::session::Address;

use crate::support::server::TestServer;

/// The answers must be those of PostgreSQL, unless a file with the ending `.differs` says what they are here.
#[tokio::test]
async fn schedules_are_answered_as_recorded() {
    let server = TestServer::builder().start().await;
    let address = Address::local(server.port(), "thermocline");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schedules");
    let schedules = Schedule::all(&folder).unwrap();
    assert!(schedules.len() >= 15, "{schedules:?}");
    for schedule in schedules {
        let file = |ending: &str| std::fs::read_to_string(folder.join(format!("{}.{ending}", schedule.name)));
        let postgresql = file("expected").unwrap();
        let name = schedule.name.clone();
        let address = address.clone();
        let answers = tokio::task::spawn_blocking(move || schedule.run(&address)).await.unwrap().unwrap();
        match std::fs::read_to_string(folder.join(format!("{name}.differs"))) {
            Ok(differing) => {
                assert_ne!(differing, postgresql, "{name}.differs says what PostgreSQL does");
                assert_eq!(answers, differing, "{name}");
            }
            Err(_) => assert_eq!(answers, postgresql, "{name}"),
        }
    }
}

#[tokio::test]
async fn transactions_show_no_anomaly_that_their_level_forbids() {
    let server = TestServer::builder().start().await;
    for level in LEVELS {
        let address = Address::local(server.port(), "thermocline");
        let plan = Plan { level, seed: 7, clients: 4, transactions: 40 };
        let history = tokio::task::spawn_blocking(move || run(&address, plan)).await.unwrap().unwrap();
        let forbidden: Vec<_> = find(&history).into_iter().filter(|(it, _)| is_forbidden(*it, level)).collect();
        assert!(forbidden.is_empty(), "{level}: {forbidden:?}");
        assert!(history.iter().filter(|it| it.is_committed()).count() > 40, "{level}: hardly anything was committed");
    }
}
