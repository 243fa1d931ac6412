//! How definitions and rows become records, and records become a snapshot again.
//!
//! Every value begins with a checksum over key and content, because the store below verifies its pages only when it
//! repairs itself. Definitions are JSON, so that a field can be added without a new format.

use bytes::{BufMut, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::change::statistics::TABLE_ITSELF;
use crate::comment::Commented;
use crate::error::{Error, Result};
use crate::external_table::ExternalTable;
use crate::file_writes::WriteNumber;
use crate::hot_table::HotTable;
use crate::name::Oid;
use crate::partition::PartitionValues;
use crate::rows::{UnitId, codec};
use crate::sequence::Sequence;
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::store::RecordWrite;
use crate::store::touched::Touched;
use crate::view::View;

/// The format of the records that this version reads and writes.
pub const FORMAT_VERSION: u32 = 13;

const CHECKSUM_BYTES: usize = 4;

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordKey {
    /// Format and counters; written with every commit.
    Meta,
    /// A schema.
    Schema(Oid),
    /// A table or view.
    Relation(Oid),
    /// A partition of an external table, by the values of its partition columns.
    Partition(Oid, PartitionValues),
    /// The columns of an inline unit of a hot table.
    InlineUnit(Oid, UnitId),
    /// Rows of an inline unit, by the position of the first one.
    InlineRows(Oid, UnitId, u32),
    /// A segment of a hot table.
    Segment(Oid, UnitId),
    /// The deleted rows of a block of a unit of a hot table.
    Deleted(Oid, UnitId, u16),
    /// A type that a user has made.
    Type(Oid),
    /// How far a sequence has come.
    SequenceState(Oid),
    /// What is said about something.
    Comment(Commented),
    /// A role.
    Role(Oid),
    /// What ANALYZE has found out about a column of a hot table; about the table itself, under the number 0.
    Statistics(Oid, i16),
    /// Files that are being written into object storage.
    FileWrite(WriteNumber),
    /// A file that has been loaded into a hot table, by its URL.
    LoadedFile(Oid, String),
    /// A secret.
    Secret(Oid),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) format_version: u32,
    pub(super) version: u64,
    pub(super) definition_version: u64,
    pub(super) next_oid: Oid,
    pub(super) next_unit: UnitId,
    pub(super) system: u64,
    pub(super) next_file_write: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) enum StoredRelation {
    Hot(HotTable),
    External(ExternalTable),
    View(View),
    Sequence(Sequence),
}

impl RecordKey {
    /// The key's bytes: a letter for the kind, then numbers in big-endian order, so that what belongs together is
    /// together and definitions come before what refers to them.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut key = Vec::new();
        match self {
            RecordKey::Meta => key.push(b'a'),
            RecordKey::Schema(oid) => {
                key.push(b'b');
                key.extend(oid.0.to_be_bytes());
            }
            RecordKey::Relation(oid) => {
                key.push(b'c');
                key.extend(oid.0.to_be_bytes());
            }
            RecordKey::Partition(oid, values) => {
                key.push(b'd');
                key.extend(oid.0.to_be_bytes());
                key.extend(serde_json::to_vec(values).expect("strings are always JSON"));
            }
            RecordKey::InlineUnit(oid, unit) => key = unit_key(b'e', *oid, *unit),
            RecordKey::InlineRows(oid, unit, first_row) => {
                key = unit_key(b'f', *oid, *unit);
                key.extend(first_row.to_be_bytes());
            }
            RecordKey::Segment(oid, unit) => key = unit_key(b'g', *oid, *unit),
            RecordKey::Deleted(oid, unit, block) => {
                key = unit_key(b'h', *oid, *unit);
                key.extend(block.to_be_bytes());
            }
            RecordKey::Type(oid) => {
                key.push(b'i');
                key.extend(oid.0.to_be_bytes());
            }
            RecordKey::SequenceState(oid) => {
                key.push(b'j');
                key.extend(oid.0.to_be_bytes());
            }
            RecordKey::Comment(commented) => {
                key.push(b'k');
                key.extend(commented.class.oid().to_be_bytes());
                key.extend(commented.oid.0.to_be_bytes());
                key.extend(commented.column.to_be_bytes());
            }
            RecordKey::Role(oid) => {
                key.push(b'l');
                key.extend(oid.0.to_be_bytes());
            }
            RecordKey::Statistics(oid, column) => {
                key.push(b'm');
                key.extend(oid.0.to_be_bytes());
                key.extend(column.to_be_bytes());
            }
            RecordKey::FileWrite(number) => {
                key.push(b'n');
                key.extend(number.0.to_be_bytes());
            }
            RecordKey::LoadedFile(oid, url) => {
                key.push(b'o');
                key.extend(oid.0.to_be_bytes());
                key.extend(url.as_bytes());
            }
            RecordKey::Secret(oid) => {
                key.push(b'p');
                key.extend(oid.0.to_be_bytes());
            }
        }
        key
    }
}

fn unit_key(kind: u8, table: Oid, unit: UnitId) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend(table.0.to_be_bytes());
    key.extend(unit.0.to_be_bytes());
    key
}

/// The writes that bring a store from any earlier state to `snapshot`, given in what they differ.
///
/// # Errors
/// Rows of a type that cannot be stored: a bug.
pub(crate) fn writes(snapshot: &CatalogSnapshot, touched: &Touched) -> Result<Vec<RecordWrite>> {
    let mut keys: Vec<_> = touched.records.iter().chain([&RecordKey::Meta]).map(|key| (key.to_bytes(), key)).collect();
    keys.sort_by(|left, right| left.0.cmp(&right.0));
    keys.dedup_by(|left, right| left.0 == right.0);
    let mut writes = Vec::with_capacity(keys.len() + touched.rows.len());
    for (bytes, key) in keys {
        match (content(snapshot, key)?, key) {
            (Some(content), _) => writes.push(put(bytes, &content)),
            (None, RecordKey::InlineUnit(table, unit)) => {
                writes.push(RecordWrite::Remove { key: bytes });
                writes.push(RecordWrite::RemoveAll { prefix: unit_key(b'f', *table, *unit) });
            }
            (None, _) => writes.push(RecordWrite::Remove { key: bytes }),
        }
    }
    for rows in touched.merged_rows(snapshot)? {
        let key = RecordKey::InlineRows(rows.table, rows.unit, rows.first_row).to_bytes();
        let content = codec::encode_rows(&rows.rows).map_err(|error| not_stored(rows.table, &error.to_string()))?;
        writes.push(put(key, &content));
    }
    Ok(writes)
}

fn put(key: Vec<u8>, content: &[u8]) -> RecordWrite {
    let value = sealed(&key, content);
    RecordWrite::Put { key, value }
}

pub(super) fn not_stored(table: Oid, reason: &str) -> Error {
    Error::Rows { table, reason: reason.to_owned() }
}

/// The content of a record in this snapshot, or `None` when it has no such record.
pub(super) fn content(snapshot: &CatalogSnapshot, key: &RecordKey) -> Result<Option<Vec<u8>>> {
    Ok(match key {
        RecordKey::Meta => Some(json(&Meta {
            format_version: FORMAT_VERSION,
            version: snapshot.version,
            definition_version: snapshot.definition_version,
            next_oid: snapshot.next_oid,
            next_unit: snapshot.next_unit,
            system: snapshot.file_writes.system,
            next_file_write: snapshot.file_writes.next,
        })),
        RecordKey::Schema(oid) => {
            snapshot.schemas().find(|schema| schema.oid == *oid).map(|schema| json(schema.as_ref()))
        }
        RecordKey::Relation(oid) => snapshot.relation_by_oid(*oid).map(|relation| {
            json(&match relation {
                Relation::Hot(table) => StoredRelation::Hot(table.as_ref().clone()),
                Relation::External(table) => StoredRelation::External(table.as_ref().clone()),
                Relation::View(view) => StoredRelation::View(view.as_ref().clone()),
                Relation::Sequence(sequence) => StoredRelation::Sequence(sequence.as_ref().clone()),
            })
        }),
        RecordKey::Partition(oid, values) => snapshot.partitions(*oid).get(values).map(json),
        RecordKey::Type(oid) => snapshot.user_type_by_oid(*oid).map(|ty| json(ty.as_ref())),
        RecordKey::SequenceState(oid) => snapshot.sequence_state(*oid).map(|state| json(&state)),
        RecordKey::Comment(commented) => snapshot.comment(*commented).map(|text| text.as_bytes().to_vec()),
        RecordKey::Role(oid) => snapshot.role_by_oid(*oid).map(|role| json(role.as_ref())),
        RecordKey::InlineUnit(table, unit) => inline_unit(snapshot, *table, *unit)?,
        // Written once, with the commit that adds them.
        RecordKey::InlineRows(..) => None,
        RecordKey::Segment(table, unit) => {
            snapshot.rows(*table).segment(*unit).map(|segment| json_and(&segment.file, &segment.file.details))
        }
        RecordKey::Statistics(table, column) => statistics(snapshot, *table, *column)?,
        RecordKey::FileWrite(number) => {
            snapshot.file_writes.unfinished_write(*number).map(|write| json(write.as_ref()))
        }
        RecordKey::LoadedFile(table, url) => snapshot.loads(*table).file(url).map(json),
        RecordKey::Secret(oid) => {
            snapshot.secrets().values().find(|secret| secret.oid == *oid).map(|secret| json(secret.as_ref()))
        }
        RecordKey::Deleted(table, unit, block) => deleted_rows(snapshot, *table, *unit, *block)?,
    })
}

fn statistics(snapshot: &CatalogSnapshot, table: Oid, column: i16) -> Result<Option<Vec<u8>>> {
    let Some(known) = snapshot.statistics(table) else { return Ok(None) };
    if column == TABLE_ITSELF {
        return Ok(Some(json(known.as_ref())));
    }
    let Some(known) = known.columns.get(&column) else { return Ok(None) };
    let values = known.values_to_bytes().map_err(|error| not_stored(table, &error.to_string()))?;
    Ok(Some(json_and(known.as_ref(), &values)))
}

/// The length of the JSON, the JSON, and other bytes.
fn json_and(value: &impl Serialize, bytes: &[u8]) -> Vec<u8> {
    let mut content = BytesMut::new();
    let value = json(value);
    content.put_u32_le(value.len() as u32);
    content.put_slice(&value);
    content.put_slice(bytes);
    content.to_vec()
}

fn inline_unit(snapshot: &CatalogSnapshot, table: Oid, unit: UnitId) -> Result<Option<Vec<u8>>> {
    let rows = snapshot.rows(table);
    let Some(unit) = rows.inline_unit(unit) else { return Ok(None) };
    codec::encode_schema(unit.schema()).map(Some).map_err(|error| not_stored(table, &error.to_string()))
}

fn deleted_rows(snapshot: &CatalogSnapshot, table: Oid, unit: UnitId, block: u16) -> Result<Option<Vec<u8>>> {
    let rows = snapshot.rows(table);
    let Some(deleted) = rows.deleted(unit).and_then(|deleted| deleted.block(block)) else { return Ok(None) };
    let mut content = Vec::with_capacity(deleted.serialized_size());
    deleted.serialize_into(&mut content).map_err(|error| not_stored(table, &error.to_string()))?;
    Ok(Some(content))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("definitions have only string keys, so they are always JSON")
}

pub(super) fn parse<T: DeserializeOwned>(key: &[u8], content: &[u8]) -> Result<T> {
    serde_json::from_slice(content).map_err(|error| corrupted(key, &error.to_string()))
}

fn checksum(key: &[u8], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(content);
    hasher.finalize()
}

pub(super) fn sealed(key: &[u8], content: &[u8]) -> Bytes {
    let mut value = BytesMut::with_capacity(CHECKSUM_BYTES + content.len());
    value.put_u32_le(checksum(key, content));
    value.put_slice(content);
    value.freeze()
}

pub(super) fn unsealed(key: &[u8], value: &[u8]) -> Result<Bytes> {
    let Some((expected, content)) = value.split_first_chunk::<CHECKSUM_BYTES>() else {
        return Err(corrupted(key, "it is too short"));
    };
    if u32::from_le_bytes(*expected) != checksum(key, content) {
        return Err(corrupted(key, "its checksum does not match"));
    }
    Ok(Bytes::copy_from_slice(content))
}

pub(crate) fn corrupted(key: &[u8], reason: &str) -> Error {
    Error::Corrupted { key: String::from_utf8_lossy(key).escape_debug().to_string(), reason: reason.to_owned() }
}
