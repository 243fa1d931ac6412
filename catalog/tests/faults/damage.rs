//! A flipped byte in the store's file or its log: noticed, or without effect.

use std::path::Path;

use catalog::Error;
use catalog::vfs::SimulatedVfs;
use catalog::vfs::simulated::Random;

use crate::history::{Content, History, Server, content};
use crate::workload::Workload;

/// The store's file, and its log.
pub const FILES: [&str; 2] = ["/data/catalog.redb", "/data/catalog.log"];
const HEADER_BYTES: u64 = 512;
const PAGE_BYTES: usize = 4096;

/// A disk, and what is on it.
#[derive(Debug)]
pub struct Image {
    vfs: SimulatedVfs,
    content: Content,
    /// Before the last commit, where that may be taken back: after a power loss, a damaged last commit cannot be told from
    /// one that was never finished.
    before: Option<Content>,
}

/// What a series of flips showed.
#[derive(Debug, Default)]
pub struct Report {
    pub noticed: u64,
    pub harmless: u64,
    pub violations: Vec<String>,
}

/// A store that was closed, one whose process was killed, and one that has lost power.
pub fn images(seed: u64) -> Vec<Image> {
    let vfs = SimulatedVfs::new();
    let server = Server::start(&vfs).expect("nothing happens to it");
    let (mut workload, mut history) = (Workload::new(seed, 3000), History::default());
    server.run(&mut workload, 25, &mut history);
    let before = content(&server.catalog.snapshot());
    server.run(&mut workload, 1, &mut history);
    let content = content(&server.catalog.snapshot());
    let killed = Image { vfs: vfs.copy(), content: content.clone(), before: None };
    let power_lost = Image { vfs: vfs.after_power_loss(seed), content: content.clone(), before: Some(before) };
    drop(server);
    vec![Image { vfs, content, before: None }, killed, power_lost]
}

/// Every position, and the bits to be flipped there.
pub fn all(image: &Image, file: &str) -> Vec<(u64, u8)> {
    let bytes = image.vfs.content(Path::new(file)).expect("it is there");
    (0..bytes.len() as u64).map(|at| (at, 1 << (at % 8))).collect()
}

/// The positions in pages that hold anything.
pub fn used(image: &Image, file: &str) -> Vec<(u64, u8)> {
    let bytes = image.vfs.content(Path::new(file)).expect("it is there");
    let is_used = |at: u64| {
        let page = at as usize / PAGE_BYTES * PAGE_BYTES;
        bytes[page..(page + PAGE_BYTES).min(bytes.len())].iter().any(|byte| *byte != 0)
    };
    all(image, file).into_iter().filter(|(at, _)| is_used(*at)).collect()
}

/// Some positions in the header, each bit of the flags, and about so many in pages that hold anything.
pub fn sample(image: &Image, file: &str, count: u64) -> Vec<(u64, u8)> {
    let used = used(image, file);
    let mut random = Random::new(count);
    let mut flips: Vec<_> = (0..count).map(|_| used[random.below(used.len() as u64) as usize]).collect();
    flips.extend((0..HEADER_BYTES).step_by(7).map(|at| (at, 0x80)));
    flips.extend((0..8).map(|bit| (9, 1 << bit)));
    flips
}

/// Flips each of these on its own, and opens the store.
pub fn run(image: &Image, file: &str, flips: &mut [(u64, u8)]) -> Report {
    let mut report = Report::default();
    for (at, mask) in flips {
        let damaged = image.vfs.with_flipped_byte(Path::new(file), *at, *mask);
        match Server::start(&damaged) {
            Err(Error::Corrupted { .. } | Error::DamagedStore { .. }) => report.noticed += 1,
            Err(other) => report.violations.push(format!("{file}, byte {at}, bits {mask:#x}: {other:?}")),
            Ok(server) => {
                let found = content(&server.catalog.snapshot());
                match found == image.content || image.before.as_ref() == Some(&found) {
                    true => report.harmless += 1,
                    false => report.violations.push(format!("{file}, byte {at}, bits {mask:#x}: other content")),
                }
            }
        }
    }
    report
}
