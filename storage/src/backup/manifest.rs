//! What a backup consists of.

use catalog::Oid;
use catalog::store::record;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Its name in the backup's place.
pub const MANIFEST: &str = "manifest.json";
/// The name of the file with the records.
pub const RECORDS: &str = "records";
/// The format of the files that this version writes and reads; that of the records has a number of its own.
const FORMAT: u32 = 1;
/// The checksum behind the JSON: a line feed and eight digits.
const CHECKSUM_BYTES: usize = 9;

/// What a file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Its length.
    pub bytes: u64,
    /// Its checksum (CRC-32).
    pub checksum: u32,
}

/// The file of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentSum {
    /// Its table.
    pub table: Oid,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub sum: FileSum,
}

/// What a backup consists of. It is written last, when all of it is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    records_format: u32,
    /// The version of the snapshot.
    pub version: u64,
    /// The file with the records.
    pub records: FileSum,
    /// The files of segments.
    pub segments: Vec<SegmentSum>,
}

/// What is read first: other formats may have the rest otherwise.
#[derive(Deserialize)]
struct Formats {
    format: u32,
    records_format: u32,
}

/// The name of a segment's file in the backup's place.
pub fn segment_path(table: Oid, name: &str) -> String {
    format!("segments/{}/{name}", table.0)
}

impl Manifest {
    /// The manifest of these files, in this version's formats.
    pub fn new(version: u64, records: FileSum, segments: Vec<SegmentSum>) -> Self {
        Manifest { format: FORMAT, records_format: record::FORMAT_VERSION, version, records, segments }
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("numbers and texts are always JSON");
        let checksum = format!("\n{:08x}", crc32fast::hash(&bytes));
        bytes.extend(checksum.as_bytes());
        bytes
    }

    /// From [`encode`](Self::encode)'s bytes, which messages call `path`.
    ///
    /// # Errors
    /// They are damaged, or of another format.
    pub fn decode(path: &str, bytes: &[u8]) -> Result<Self> {
        let damaged = |reason: &str| Error::DamagedBackup { path: path.to_owned(), reason: reason.to_owned() };
        let json = bytes.len().checked_sub(CHECKSUM_BYTES).map(|length| bytes.split_at(length));
        let (json, checksum) = json.ok_or_else(|| damaged("it is too short"))?;
        if checksum != format!("\n{:08x}", crc32fast::hash(json)).as_bytes() {
            return Err(damaged("its checksum does not match"));
        }
        let unreadable = |error: serde_json::Error| damaged(&error.to_string());
        let Formats { format, records_format } = serde_json::from_slice(json).map_err(unreadable)?;
        for (found, supported) in [(format, FORMAT), (records_format, record::FORMAT_VERSION)] {
            if found != supported {
                return Err(Error::BackupFormat { path: path.to_owned(), found, supported });
            }
        }
        let manifest: Manifest = serde_json::from_slice(json).map_err(unreadable)?;
        // Names become those of files below the data directory.
        let is_name = |name: &str| {
            let begins_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
            begins_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        };
        if !manifest.segments.iter().all(|segment| is_name(&segment.name)) {
            return Err(damaged("it names a file that is no segment"));
        }
        Ok(manifest)
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.records.bytes + self.segments.iter().map(|segment| segment.sum.bytes).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn manifest(name: &str) -> Manifest {
        let sum = FileSum { bytes: 5, checksum: 7 };
        Manifest::new(3, sum, vec![SegmentSum { table: Oid(16_384), name: name.to_owned(), sum }])
    }

    #[test]
    fn a_manifest_comes_back_as_it_was_or_is_damaged() {
        let manifest = manifest("0a.parquet");
        let bytes = manifest.encode();
        assert_eq!(Manifest::decode("m", &bytes).unwrap(), manifest);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(matches!(Manifest::decode("m", &flipped), Err(Error::DamagedBackup { .. })), "{at}");
            assert!(matches!(Manifest::decode("m", &bytes[..at]), Err(Error::DamagedBackup { .. })), "{at}");
        }
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        for name in ["../x", "/x", "..", ""] {
            let decoded = Manifest::decode("m", &manifest(name).encode());
            assert!(matches!(decoded, Err(Error::DamagedBackup { .. })), "{name}");
        }
    }

    #[test]
    fn another_format_is_refused() {
        for manifest in [Manifest { format: 2, ..manifest("a") }, Manifest { records_format: 1, ..manifest("a") }] {
            let decoded = Manifest::decode("m", &manifest.encode());
            assert!(matches!(decoded, Err(Error::BackupFormat { .. })));
        }
    }
}
