//! What a client knows after a sequence of commits, and whether what is found later agrees with it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use catalog::rows::InlineUnit;
use catalog::vfs::{SimulatedVfs, Vfs};
use catalog::{Catalog, CatalogChange, CatalogSnapshot, Error};
use tokio::runtime::{Builder, Runtime};

use crate::workload::Workload;

/// The data directory in simulated file systems.
pub const DIRECTORY: &str = "/data";
/// Little, so that the log is full every few commits.
const LOG_BYTES: usize = 64 * 1024;

/// Everything a snapshot holds, in a form to be compared.
pub type Content = BTreeMap<String, String>;

/// What a client knows.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The newest snapshot that a commit was answered with.
    pub acknowledged: Option<Arc<CatalogSnapshot>>,
    /// Commits that had no answer.
    pub in_doubt: Vec<Vec<CatalogChange>>,
    /// Commits that were answered with an error of the store.
    pub refused: Vec<String>,
}

/// A catalog on a simulated file system, and why it ended, if it did.
#[derive(Debug)]
pub struct Server {
    pub catalog: Catalog,
    ended: Arc<Mutex<Option<String>>>,
    runtime: Runtime,
}

impl Server {
    /// Starts on the file system.
    pub fn start(vfs: &SimulatedVfs) -> Result<Self, Error> {
        let ended = Arc::new(Mutex::new(None));
        let on_store_failed = {
            let ended = ended.clone();
            Box::new(move |error: &Error| *ended.lock().unwrap() = Some(format!("{error:?}")))
        };
        let vfs: Arc<dyn Vfs> = Arc::new(vfs.clone());
        let catalog = Catalog::open_on(vfs, Path::new(DIRECTORY), LOG_BYTES, on_store_failed)?;
        Ok(Server { catalog, ended, runtime: Builder::new_current_thread().build().unwrap() })
    }

    /// Makes a group of commits at the same time and notes what is answered; whether the server lives.
    pub fn commit(&self, group: Vec<Vec<CatalogChange>>, history: &mut History) -> bool {
        let commits = group.iter().map(|changes| self.catalog.commit(changes.clone()));
        let answers = self.runtime.block_on(join_all(commits));
        let mut lives = true;
        for (changes, answer) in group.into_iter().zip(answers) {
            match answer {
                Ok(snapshot) => history.acknowledge(snapshot),
                Err(Error::ShuttingDown) => {
                    history.in_doubt.push(changes);
                    lives = false;
                }
                Err(
                    error @ (Error::DiskFull { .. }
                    | Error::File { .. }
                    | Error::Store(_)
                    | Error::DamagedStore { .. }
                    | Error::Corrupted { .. }),
                ) => history.refused.push(format!("{error:?}")),
                // Two commits of a group wanted the same; the second knows that it is not there.
                Err(_) => {}
            }
        }
        lives
    }

    /// Runs the workload for so many groups, or until the server ends.
    pub fn run(&self, workload: &mut Workload, groups: u64, history: &mut History) {
        history.acknowledge(self.catalog.snapshot());
        for _ in 0..groups {
            if !self.commit(workload.next_group(&self.catalog), history) {
                return;
            }
        }
    }

    /// Why the server ended itself, when it did.
    pub fn ended(&self) -> Option<String> {
        self.catalog.close();
        self.ended.lock().unwrap().clone()
    }
}

/// Futures of the catalog wait for a thread, so that polling them in turn is as good as together once all have begun.
async fn join_all<T: Send + 'static>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, answer) in &mut pinned {
            if answer.is_none()
                && let std::task::Poll::Ready(it) = future.as_mut().poll(context)
            {
                *answer = Some(it);
            }
        }
        if pinned.iter().all(|(_, answer)| answer.is_some()) {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    })
    .await;
    pinned.into_iter().filter_map(|(_, answer)| answer).collect()
}

impl History {
    fn acknowledge(&mut self, snapshot: Arc<CatalogSnapshot>) {
        if self.acknowledged.as_ref().is_none_or(|known| known.version() < snapshot.version()) {
            self.acknowledged = Some(snapshot);
        }
    }

    /// Whether what was found is what the client knows, with each commit in doubt entirely there or not at all. How many
    /// of these are there.
    pub fn check(&self, found: &CatalogSnapshot) -> Result<usize, String> {
        let found_content = content(found);
        let base = self.acknowledged.clone().unwrap_or_else(|| Arc::new(CatalogSnapshot::initial()));
        let mut open = vec![(base, Vec::<usize>::new())];
        while let Some((candidate, applied)) = open.pop() {
            if content(&candidate) == found_content {
                return Ok(applied.len());
            }
            for (index, changes) in self.in_doubt.iter().enumerate() {
                if !applied.contains(&index)
                    && let Ok(next) = candidate.after(changes)
                {
                    open.push((Arc::new(next), applied.iter().copied().chain([index]).collect()));
                }
            }
        }
        let known = self.acknowledged.as_ref().map(|it| it.version());
        Err(format!("version {} found, {known:?} acknowledged, {} in doubt", found.version(), self.in_doubt.len()))
    }
}

/// Everything a snapshot holds.
pub fn content(snapshot: &CatalogSnapshot) -> Content {
    let mut content = Content::from([("version".to_owned(), snapshot.version().to_string())]);
    let mut put = |kind: &str, key: &dyn Debug, value: String| content.insert(format!("{kind} {key:?}"), value);
    for schema in snapshot.schemas() {
        put("schema", &schema.name, format!("{schema:?}"));
        for relation in snapshot.relations_in(&schema.name) {
            let oid = relation.oid();
            put("relation", relation.name(), format!("{relation:?}"));
            put("partitions", &oid, format!("{:?}", snapshot.partitions(oid)));
            if let Some(known) = snapshot.statistics(oid) {
                put("statistics", &oid, format!("{} {:?}", known.rows, known.columns));
            }
            let rows = snapshot.rows(oid);
            for unit in rows.inline_units() {
                put("rows", &(oid, unit.unit), values(unit));
            }
            for (unit, segment) in rows.segments() {
                put("segment", &(oid, unit), format!("{:?}", segment.file));
            }
            for (unit, deleted) in rows.all_deleted() {
                put("deleted", &(oid, unit), format!("{:?}", deleted.iter().collect::<Vec<_>>()));
            }
        }
    }
    content
}

/// The rows of a unit, however many batches they are in.
fn values(unit: &InlineUnit) -> String {
    let batches = unit.batches().map(|(_, batch)| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
    let values: Vec<i64> = batches.flatten().collect();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    format!("{} rows, {:x}", values.len(), crc32fast::hash(&bytes))
}
