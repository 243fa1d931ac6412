//! Power loss at any call: each image that a disk may hold then must be one that the clients can live with.

use catalog::vfs::SimulatedVfs;
use catalog::vfs::simulated::{Random, Syncs};

use crate::history::{Content, History, Server, content};
use crate::workload::Workload;

const GROUPS: u64 = 14;
const ROWS_BYTES_MAX: u64 = 60_000;
/// Images of one power loss.
const IMAGES_PER_RUN: u64 = 8;

/// What a series of images showed.
#[derive(Debug, Default)]
pub struct Report {
    pub images: u64,
    pub in_doubt_kept: u64,
    pub in_doubt_lost: u64,
    pub violations: Vec<String>,
}

/// Runs workloads, cuts the power at a random call of each, and checks at least so many images.
pub fn run(seed: u64, images: u64, syncs: Syncs) -> Report {
    let mut report = Report::default();
    let mut random = Random::new(seed);
    while report.images < images {
        let run_seed = random.next_u64();
        one_run(run_seed, syncs, &mut report);
    }
    report
}

fn one_run(seed: u64, syncs: Syncs, report: &mut Report) {
    let mut random = Random::new(seed);
    let calls = calls_of(seed);
    let vfs = SimulatedVfs::new();
    vfs.set_syncs(syncs);
    vfs.lose_power_at(1 + random.below(calls));
    let mut history = History::default();
    if let Ok(server) = Server::start(&vfs) {
        server.run(&mut Workload::new(seed, ROWS_BYTES_MAX), GROUPS, &mut history);
    }
    for _ in 0..IMAGES_PER_RUN {
        let image_seed = random.next_u64();
        report.images += 1;
        match check_image(&vfs.after_power_loss(image_seed), &history, &mut random) {
            Ok(kept) if history.in_doubt.is_empty() => assert_eq!(kept, 0),
            Ok(0) => report.in_doubt_lost += 1,
            Ok(_) => report.in_doubt_kept += 1,
            Err(violation) => report.violations.push(format!("run {seed}, image {image_seed}: {violation}")),
        }
    }
}

/// How many calls the workload makes when nothing happens to it.
fn calls_of(seed: u64) -> u64 {
    let vfs = SimulatedVfs::new();
    let server = Server::start(&vfs).expect("nothing happens to it");
    server.run(&mut Workload::new(seed, ROWS_BYTES_MAX), GROUPS, &mut History::default());
    drop(server);
    vfs.calls()
}

/// Opens the image, checks it, and checks that it stays what it was found to be. How many commits in doubt are there.
fn check_image(image: &SimulatedVfs, history: &History, random: &mut Random) -> Result<usize, String> {
    if random.chance(1, 4) {
        return check_interrupted_recovery(image, history, random);
    }
    let (server, found) = open(image)?;
    let kept = history.check(&server.catalog.snapshot())?;
    let later = match random.below(3) {
        // Closed and opened again.
        0 => {
            drop(server);
            image.clone()
        }
        // The power goes again, right after somebody has seen what is there.
        1 => image.after_power_loss(random.next_u64()),
        // The process is killed; the next one is hit by a power loss.
        _ => {
            let killed = image.after_kill();
            let (_server, again) = open(&killed)?;
            same(&found, &again)?;
            killed.after_power_loss(random.next_u64())
        }
    };
    let (server, again) = open(&later)?;
    same(&found, &again)?;
    goes_on(&server, history)?;
    Ok(kept)
}

/// The power goes again while the image is being opened for the first time.
fn check_interrupted_recovery(image: &SimulatedVfs, history: &History, random: &mut Random) -> Result<usize, String> {
    image.lose_power_at(1 + random.below(60));
    let seen = Server::start(image).ok().map(|server| content(&server.catalog.snapshot()));
    let (server, found) = open(&image.after_power_loss(random.next_u64()))?;
    if let Some(seen) = seen {
        same(&seen, &found)?;
    }
    history.check(&server.catalog.snapshot())
}

fn open(vfs: &SimulatedVfs) -> Result<(Server, Content), String> {
    let server = Server::start(vfs).map_err(|error| format!("it cannot be opened: {error:?}"))?;
    let found = content(&server.catalog.snapshot());
    Ok((server, found))
}

fn same(first: &Content, second: &Content) -> Result<(), String> {
    if first == second { Ok(()) } else { Err("what was found once was not found again".into()) }
}

/// The store takes commits.
fn goes_on(server: &Server, history: &History) -> Result<(), String> {
    let mut workload = Workload::new(history.in_doubt.len() as u64, 100);
    let mut after = History::default();
    server.run(&mut workload, 1, &mut after);
    if after.in_doubt.is_empty() && after.refused.is_empty() {
        Ok(())
    } else {
        Err(format!("no more commits: {after:?}"))
    }
}
