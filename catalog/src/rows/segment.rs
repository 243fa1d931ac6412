//! Rows in a file: what the catalog knows of one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::name::Oid;

/// A file of rows, written once.
///
/// What is in `details` is for the storage crate alone: checksums, zone maps, where the columns are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentFile {
    /// The table, whose number is the folder's name.
    pub table: Oid,
    /// The file's name in the table's folder.
    pub name: String,
    /// Rows in it, deleted ones too.
    pub rows: u32,
    /// Bytes of the file.
    pub bytes: u64,
    /// What the storage crate has to know to read it.
    #[serde(skip)]
    pub details: Bytes,
}

/// A segment: a file of rows that snapshots, or the changes of a transaction, refer to. A file that no committed state
/// needs is reported as garbage when the last reference goes: the file of a transaction that was rolled back, and the
/// file of a segment that was replaced, once no snapshot reads it any more.
#[derive(Debug)]
pub struct Segment {
    /// The file.
    pub file: SegmentFile,
    garbage: Option<Sender<SegmentFile>>,
    needed: AtomicBool,
}

impl Segment {
    /// A segment that has not been committed.
    pub fn new(file: SegmentFile, garbage: Option<Sender<SegmentFile>>) -> Self {
        Segment { file, garbage, needed: AtomicBool::new(false) }
    }

    /// To be called by the commit thread: whether the newest durable state refers to the file.
    pub(crate) fn set_needed(&self, needed: bool) {
        self.needed.store(needed, Ordering::Release);
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if let (false, Some(garbage)) = (self.needed.load(Ordering::Acquire), &self.garbage) {
            // When nobody listens any more, the server ends, and its next start removes what no record refers to.
            drop(garbage.send(self.file.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc;

    #[test]
    fn a_file_is_garbage_once_nothing_needs_it_and_the_last_reader_is_gone() {
        let file =
            SegmentFile { table: Oid(1), name: "a".into(), rows: 1, bytes: 1, details: Bytes::from_static(b"x") };
        let (sender, garbage) = mpsc::channel();
        let segment = Arc::new(Segment::new(file.clone(), Some(sender.clone())));
        segment.set_needed(true);
        let reader = segment.clone();
        segment.set_needed(false);
        drop(segment);
        assert!(garbage.try_recv().is_err());
        drop(reader);
        assert_eq!(garbage.try_recv(), Ok(file.clone()));

        let committed = Segment::new(file.clone(), Some(sender.clone()));
        committed.set_needed(true);
        drop(committed);
        assert!(garbage.try_recv().is_err());
        drop(Segment::new(file.clone(), Some(sender)));
        assert_eq!(garbage.try_recv(), Ok(file));
    }
}
