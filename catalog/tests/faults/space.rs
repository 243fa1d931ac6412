//! A disk that fills up: commits are refused, what is there stays readable, dropping works, and with space all goes on.

use arrow::array::Int64Array;
use catalog::vfs::SimulatedVfs;
use catalog::{CatalogChange, Relation};

use crate::history::{History, Server, content};
use crate::workload::{Workload, append};

const MEBIBYTE: u64 = 1024 * 1024;
const GROUPS: u64 = 30;
const ROWS_BYTES_MAX: u64 = 2 * MEBIBYTE;

/// What a series of disks showed.
#[derive(Debug, Default)]
pub struct Report {
    pub acknowledged: u64,
    pub refused: u64,
    pub violations: Vec<String>,
}

/// Runs a workload on so many disks of different sizes, the smallest of which holds a few commits besides what is kept.
pub fn run(seed: u64, disks: u64) -> Report {
    let mut report = Report::default();
    for disk in 0..disks {
        let capacity = 32 * MEBIBYTE + disk * 40 * MEBIBYTE / disks;
        if let Err(violation) = one_disk(seed + disk, capacity, &mut report) {
            report.violations.push(format!("disk of {capacity} bytes: {violation}"));
        }
    }
    report
}

fn one_disk(seed: u64, capacity: u64, report: &mut Report) -> Result<(), String> {
    let vfs = SimulatedVfs::new();
    vfs.set_capacity(Some(capacity));
    let server = Server::start(&vfs).map_err(|error| format!("{error:?}"))?;
    let (mut history, mut workload) = (History::default(), Workload::new(seed, ROWS_BYTES_MAX));
    server.run(&mut workload, GROUPS, &mut history);
    fill(&server, &mut history);
    if let Some(other) = history.refused.iter().find(|it| !it.starts_with("DiskFull")) {
        return Err(format!("a full disk was reported as {other}"));
    }
    lives(&server, &history)?;
    report.refused += history.refused.len() as u64;
    report.acknowledged += history.acknowledged.as_ref().map_or(0, |it| it.version());

    if !drop_everything(&server, &mut history) {
        return Err(format!("dropping was refused: {:?}", history.refused.last()));
    }
    lives(&server, &history)?;
    let refused = history.refused.len();
    server.run(&mut workload, 3, &mut history);
    lives(&server, &history)?;
    if history.refused.len() > refused {
        return Err(format!("there is room inside and it is refused: {:?}", history.refused.last()));
    }

    let refused = history.refused.len();
    vfs.set_capacity(None);
    server.run(&mut workload, 3, &mut history);
    lives(&server, &history)?;
    if history.refused.len() > refused {
        return Err(format!("there is space and it is refused: {:?}", history.refused.last()));
    }
    drop(server);
    let server = Server::start(&vfs).map_err(|error| format!("{error:?}"))?;
    history.check(&server.catalog.snapshot()).map(|_| ())
}

/// Inserts until nothing more fits.
fn fill(server: &Server, history: &mut History) {
    let table = server.catalog.snapshot().relations_in("public").find_map(|relation| match relation {
        Relation::Hot(table) => Some(table.oid),
        _ => None,
    });
    let Some(table) = table else { return };
    for size in [MEBIBYTE, MEBIBYTE / 16, 100] {
        let refused = history.refused.len();
        while history.refused.len() == refused && history.in_doubt.is_empty() {
            let values = Int64Array::from_value(7, (size / 8) as usize);
            server.commit(vec![vec![append(table, values)]], history);
        }
    }
}

/// Drops what can be dropped, again and again: what goes first makes room for the rest. Whether nothing is left.
fn drop_everything(server: &Server, history: &mut History) -> bool {
    loop {
        let snapshot = server.catalog.snapshot();
        let free = snapshot.relations_in("public").filter(|relation| snapshot.dependents(relation.oid()).is_empty());
        let free: Vec<_> = free.map(|relation| relation.oid()).collect();
        for oid in &free {
            server.commit(vec![vec![CatalogChange::DropRelation { oid: *oid }]], history);
        }
        if free.is_empty() || server.catalog.snapshot().version() == snapshot.version() {
            return free.is_empty();
        }
    }
}

fn lives(server: &Server, history: &History) -> Result<(), String> {
    if !history.in_doubt.is_empty() {
        return Err(format!("the server ended: {:?}", server.ended()));
    }
    let acknowledged = history.acknowledged.as_ref().ok_or("it has never answered")?;
    let same = content(&server.catalog.snapshot()) == content(acknowledged);
    if same { Ok(()) } else { Err("it serves what is not acknowledged".into()) }
}
