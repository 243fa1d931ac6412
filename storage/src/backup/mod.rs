//! Copies of a whole server's hot tables: made while it runs, and made a data directory again.
//!
//! A backup is one [snapshot](catalog::CatalogSnapshot): its records, written from what is in memory, and the files of its
//! segments, which cannot go while the snapshot is held. It is in a place of its own ([`place`]), whose [`manifest`] is
//! written last: a place without one holds a backup that did not finish. Every byte is verified by a checksum when it is
//! copied, and again when it is restored; see docs/decisions/011-backup.md.

pub mod back_up;
pub mod manifest;
pub mod place;
pub mod records;
pub mod restore;

pub use back_up::{BackupSummary, MEMORY_BYTES, back_up};
pub use place::BackupPlace;
pub use restore::restore;
