//! Opens files, finds the row groups that are wanted, and reads their bytes, ahead of those who decode them.
//!
//! How much is read at the same time does not depend on the number of cores: a request to an object store is waited for, not
//! computed.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileMetrics;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use futures::stream::{self, StreamExt};
use tokio::sync::{Mutex, Semaphore, mpsc};

use super::super::footers::Tails;
use super::open_file::{Constants, OpenFile, constants, in_file, is_false};
use super::pruning::FileConditions;
use super::row_group::{RowGroup, Survivors};
use super::scanned::Scanned;
use crate::scan::report::Step;

/// Files that are opened at the same time.
const FILES_PARALLEL: usize = 64;
/// Row groups whose bytes are read at the same time.
const ROW_GROUPS_PARALLEL: usize = 16;
/// Bytes of a scan that are read ahead of those who decode them.
const BYTES_AHEAD_MAX: u64 = 64 << 20;
/// Those bytes are dealt out in parts of so many.
const PERMIT_BYTES: u64 = 1 << 10;

/// What the partitions of one execution share: row groups, which they take one by one.
pub(super) struct Feed {
    files: Arc<[PartitionedFile]>,
    memory: Arc<dyn MemoryPool>,
    metrics: ParquetFileMetrics,
    started: Mutex<Option<Started>>,
}

struct Started {
    groups: mpsc::Receiver<Fed>,
    has_ended: bool,
    /// Ends with the scan.
    _task: SpawnedTask<()>,
}

/// What comes next.
enum Fed {
    Group(Result<Box<Wanted>>),
    /// There is no more. Without it, whoever makes the row groups has not come to the end.
    End,
}

/// A row group, and what it takes to look again whether it is wanted.
pub(super) struct Wanted {
    pub group: RowGroup,
    pub constants: Arc<Constants>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

impl Feed {
    pub fn new(files: Arc<[PartitionedFile]>, memory: Arc<dyn MemoryPool>, metrics: ParquetFileMetrics) -> Self {
        Feed { files, memory, metrics, started: Mutex::default() }
    }

    /// What is counted of files.
    pub fn metrics(&self) -> &ParquetFileMetrics {
        &self.metrics
    }

    /// The next row group. The first who asks starts the reading: what joins know is known by then.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn next(&self, scanned: &Arc<Scanned>) -> Result<Option<Wanted>> {
        let mut started = self.started.lock().await;
        let started = started.get_or_insert_with(|| self.start(scanned));
        match started.groups.recv().await {
            Some(Fed::Group(group)) => group.map(|group| Some(*group)),
            Some(Fed::End) => {
                started.has_ended = true;
                Ok(None)
            }
            None if started.has_ended => Ok(None),
            None => Err(DataFusionError::Internal("the reading of files ended before its end".to_owned())),
        }
    }

    fn start(&self, scanned: &Arc<Scanned>) -> Started {
        // Whoever wants the first rows alone does not want others to be read meanwhile.
        let ahead = if scanned.fetch.is_some() { 1 } else { ROW_GROUPS_PARALLEL };
        let (sender, groups) = mpsc::channel(1);
        let opener = Opener {
            scanned: scanned.clone(),
            metrics: self.metrics.clone(),
            survivors: Arc::default(),
            tails: Tails::default(),
            reservation: MemoryConsumer::new("external scan").register(&self.memory),
        };
        let feeding = feed(Arc::new(opener), self.files.clone(), ahead, sender);
        Started { groups, has_ended: false, _task: SpawnedTask::spawn(feeding) }
    }
}

async fn feed(opener: Arc<Opener>, files: Arc<[PartitionedFile]>, ahead: usize, sender: mpsc::Sender<Fed>) {
    let budget = Arc::new(Semaphore::new((BYTES_AHEAD_MAX / PERMIT_BYTES) as usize));
    let open = |place| {
        let (opener, files) = (opener.clone(), files.clone());
        let open = SpawnedTask::spawn(async move { opener.open(place, &files[place]).await });
        async move { open.join().await.unwrap_or_else(|error| Err(ended(&error))) }
    };
    // The first one tells how much of the others' ends is worth reading.
    let first = files.len().min(1);
    let others = stream::iter(first..files.len()).map(open).buffered(FILES_PARALLEL.min(ahead * 2));
    let opened = stream::iter(0..first).then(open).chain(others);
    let groups = opened.flat_map(|opened| {
        stream::iter(match opened {
            Ok(groups) => groups.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    });
    // In their order, so that nobody waits for bytes that those behind have taken.
    let permitted = groups.then(|group| permitted(group, budget.clone()));
    let mut read = std::pin::pin!(permitted.map(read_ahead).buffered(ahead));
    while let Some(group) = read.next().await {
        if sender.send(Fed::Group(group.map(Box::new))).await.is_err() {
            return;
        }
    }
    // Nobody may wait for it any more.
    drop(sender.send(Fed::End).await);
}

/// A task that has not come to its end.
fn ended(error: &tokio::task::JoinError) -> DataFusionError {
    DataFusionError::Internal(format!("opening a file ended: {error}"))
}

/// A row group with the bytes of it that are to be read ahead.
type Permitted = Result<(Wanted, Vec<Range<u64>>)>;

/// Waits until the bytes of a row group may be read.
async fn permitted(wanted: Result<Wanted>, budget: Arc<Semaphore>) -> Permitted {
    let mut wanted = wanted?;
    let ranges = wanted.group.ahead()?;
    let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let permits = bytes.min(BYTES_AHEAD_MAX).div_ceil(PERMIT_BYTES);
    if permits > 0 {
        let permit = budget.acquire_many_owned(permits as u32).await;
        wanted.group.permit = Some(permit.map_err(|error| DataFusionError::Internal(error.to_string()))?);
    }
    Ok((wanted, ranges))
}

async fn read_ahead(permitted: Permitted) -> Result<Wanted> {
    let (mut wanted, ranges) = permitted?;
    wanted.group.fetch(ranges).await?;
    Ok(wanted)
}

/// Opens files.
struct Opener {
    scanned: Arc<Scanned>,
    metrics: ParquetFileMetrics,
    survivors: Arc<Survivors>,
    tails: Tails,
    reservation: MemoryReservation,
}

impl Opener {
    /// The row groups of a file that may have rows that are wanted.
    async fn open(&self, place: usize, file: &PartitionedFile) -> Result<Vec<Wanted>> {
        let scanned = &self.scanned;
        scanned.steps.add(Step::Files, 1);
        let constants = constants(scanned, file);
        let conditions = scanned.all_conditions()?;
        for condition in &conditions {
            let condition = in_file(condition.clone(), &constants, &scanned.table_schema)?;
            if is_false(&condition) {
                scanned.steps.add(Step::FilesExcluded, 1);
                return Ok(Vec::new());
            }
        }
        let pinned = scanned.pinned(file);
        let footer = scanned.reading.footers.footer(&pinned, self.tails.expected(&pinned)).await?;
        let total = footer.num_row_groups();
        scanned.steps.add(Step::RowGroups, total);
        let mut open = OpenFile::new(scanned, pinned, footer, &constants)?;
        open.place = place;
        let kept = match conditions.is_empty() {
            true => (0..total).step_by(scanned.groups_one_in).map(|group| (group, None)).collect(),
            false => match FileConditions::new(conditions, scanned, &open, &constants)? {
                Some(conditions) => conditions.kept(scanned, &mut open, &self.metrics).await?,
                None => {
                    scanned.steps.add(Step::RowGroupsExcludedByStatistics, total);
                    Vec::new()
                }
            },
        };
        self.tails.note(&open.file, open.file.described_by());
        let (open, constants) = (Arc::new(open), Arc::new(constants));
        let needed: Vec<usize> = scanned.needed().into_iter().collect();
        let group = |(group, selection)| {
            let (survivors, reservation) = (self.survivors.clone(), self.reservation.new_empty());
            let mut group = RowGroup::new(scanned.clone(), open.clone(), group, selection, survivors, reservation);
            group.widen(&needed)?;
            let all = open.rows(group.group);
            scanned.steps.add(Step::Rows, all);
            scanned.steps.add(Step::RowsExcludedByPages, all - group.row_count());
            group.take_bounds()?;
            group.number_rows();
            Ok(Wanted { group, constants: constants.clone() })
        };
        kept.into_iter().map(group).collect()
    }
}
