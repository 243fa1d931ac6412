//! How definitions and rows become records, and records become a snapshot again.
//!
//! Every value begins with a checksum over key and content, because the store below verifies its pages only when it
//! repairs itself. Definitions are JSON, so that a field can be added without a new format.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::chunk::{InlineChunk, UnitId};
use crate::error::{Error, Result};
use crate::external_table::ExternalTable;
use crate::hot_table::HotTable;
use crate::name::Oid;
use crate::partition::{Partition, PartitionValues};
use crate::schema::Schema;
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::store::{CommitStore, RecordWrite};
use crate::view::View;

/// The format of the records that this version writes. It reads those before it too: 1 had no types that users made.
pub const FORMAT_VERSION: u32 = 2;
/// The oldest format that this version reads.
const FORMAT_VERSION_MIN: u32 = 1;

const CHECKSUM_BYTES: usize = 4;
const ROW_COUNT_BYTES: usize = 4;

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
    /// Rows of a hot table.
    Chunk(Oid, UnitId),
    /// A type that a user has made.
    Type(Oid),
}

#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    format_version: u32,
    version: u64,
    definition_version: u64,
    next_oid: Oid,
    next_unit: UnitId,
}

#[derive(Serialize, Deserialize)]
enum StoredRelation {
    Hot(HotTable),
    External(ExternalTable),
    View(View),
}

impl RecordKey {
    /// The key's bytes: a letter for the kind, then numbers in big-endian order, so that what belongs together is
    /// together and definitions come before what refers to them.
    fn to_bytes(&self) -> Vec<u8> {
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
            RecordKey::Chunk(oid, unit) => {
                key.push(b'e');
                key.extend(oid.0.to_be_bytes());
                key.extend(unit.0.to_be_bytes());
            }
            RecordKey::Type(oid) => {
                key.push(b'f');
                key.extend(oid.0.to_be_bytes());
            }
        }
        key
    }
}

/// The writes that bring a store from any earlier state to `snapshot`, given the records in which they differ.
pub(crate) fn writes(snapshot: &CatalogSnapshot, touched: &[RecordKey]) -> Vec<RecordWrite> {
    let mut keys: Vec<_> = touched.iter().chain([&RecordKey::Meta]).map(|key| (key.to_bytes(), key)).collect();
    keys.sort_by(|left, right| left.0.cmp(&right.0));
    keys.dedup_by(|left, right| left.0 == right.0);
    let write = |(bytes, key): (Vec<u8>, &RecordKey)| {
        let value = content(snapshot, key).map(|content| sealed(&bytes, &content));
        RecordWrite { key: bytes, value }
    };
    keys.into_iter().map(write).collect()
}

/// The content of a record in this snapshot, or `None` when it has no such record.
fn content(snapshot: &CatalogSnapshot, key: &RecordKey) -> Option<Vec<u8>> {
    match key {
        RecordKey::Meta => Some(json(&Meta {
            format_version: FORMAT_VERSION,
            version: snapshot.version,
            definition_version: snapshot.definition_version,
            next_oid: snapshot.next_oid,
            next_unit: snapshot.next_unit,
        })),
        RecordKey::Schema(oid) => {
            snapshot.schemas().find(|schema| schema.oid == *oid).map(|schema| json(schema.as_ref()))
        }
        RecordKey::Relation(oid) => snapshot.relation_by_oid(*oid).map(|relation| {
            json(&match relation {
                Relation::Hot(table) => StoredRelation::Hot(table.as_ref().clone()),
                Relation::External(table) => StoredRelation::External(table.as_ref().clone()),
                Relation::View(view) => StoredRelation::View(view.as_ref().clone()),
            })
        }),
        RecordKey::Partition(oid, values) => snapshot.partitions(*oid).get(values).map(json),
        RecordKey::Type(oid) => snapshot.user_type_by_oid(*oid).map(|ty| json(ty.as_ref())),
        RecordKey::Chunk(oid, unit) => {
            // New chunks are at the end, and the ones to be removed belong to a table that is not there any more.
            let chunks = snapshot.rows.get(oid)?;
            chunks.find(*unit).map(|chunk| {
                let mut content = Vec::with_capacity(ROW_COUNT_BYTES + chunk.bytes().len());
                content.extend(chunk.rows.to_le_bytes());
                content.extend(chunk.bytes());
                content
            })
        }
    }
}

/// The snapshot that a store holds, or `None` when the store is new.
pub(crate) fn read_snapshot(store: &dyn CommitStore) -> Result<Option<CatalogSnapshot>> {
    let mut snapshot: Option<CatalogSnapshot> = None;
    store.load(&mut |key, value| {
        let content = unsealed(key, value)?;
        match (&mut snapshot, key.first()) {
            (None, Some(b'a')) => {
                snapshot = Some(empty_snapshot(key, &content)?);
                Ok(())
            }
            (Some(snapshot), Some(kind)) => restore(snapshot, *kind, key, content),
            _ => Err(corrupted(key, "it comes before the record of the format")),
        }
    })?;
    Ok(snapshot)
}

fn empty_snapshot(key: &[u8], content: &[u8]) -> Result<CatalogSnapshot> {
    let meta: Meta = parse(key, content)?;
    if !(FORMAT_VERSION_MIN..=FORMAT_VERSION).contains(&meta.format_version) {
        return Err(Error::UnknownFormat { found: meta.format_version, supported: FORMAT_VERSION });
    }
    Ok(CatalogSnapshot {
        version: meta.version,
        definition_version: meta.definition_version,
        next_oid: meta.next_oid,
        next_unit: meta.next_unit,
        definitions: Arc::default(),
        rows: Arc::default(),
    })
}

fn restore(snapshot: &mut CatalogSnapshot, kind: u8, key: &[u8], mut content: Bytes) -> Result<()> {
    let definitions = Arc::make_mut(&mut snapshot.definitions);
    match kind {
        b'b' => {
            let schema: Schema = parse(key, &content)?;
            definitions.schemas.insert(schema.name.clone(), Arc::new(schema));
        }
        b'c' => {
            let relation = match parse(key, &content)? {
                StoredRelation::Hot(table) => Relation::Hot(Arc::new(table)),
                StoredRelation::External(table) => Relation::External(Arc::new(table)),
                StoredRelation::View(view) => Relation::View(Arc::new(view)),
            };
            definitions.names.insert(relation.oid(), relation.name().clone());
            definitions.relations.insert(relation.name().clone(), relation);
        }
        b'd' => {
            let partition: Partition = parse(key, &content)?;
            let partitions = definitions.partitions.entry(key_oid(key)?).or_default();
            Arc::make_mut(partitions).insert(partition.values.clone(), partition);
        }
        b'e' => {
            let unit = key.get(5..13).and_then(|bytes| bytes.try_into().ok());
            let unit = UnitId(u64::from_be_bytes(unit.ok_or_else(|| corrupted(key, "its key is too short"))?));
            if content.len() < ROW_COUNT_BYTES {
                return Err(corrupted(key, "it is too short"));
            }
            let rows = content.get_u32_le();
            snapshot.push_chunk(key_oid(key)?, InlineChunk::new(unit, rows, content));
        }
        b'f' => definitions.put_type(Arc::new(parse(key, &content)?)),
        _ => return Err(corrupted(key, "its kind is unknown")),
    }
    Ok(())
}

fn key_oid(key: &[u8]) -> Result<Oid> {
    let oid = key.get(1..5).and_then(|bytes| bytes.try_into().ok());
    oid.map(|bytes| Oid(u32::from_be_bytes(bytes))).ok_or_else(|| corrupted(key, "its key is too short"))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("definitions have only string keys, so they are always JSON")
}

fn parse<T: DeserializeOwned>(key: &[u8], content: &[u8]) -> Result<T> {
    serde_json::from_slice(content).map_err(|error| corrupted(key, &error.to_string()))
}

fn checksum(key: &[u8], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(content);
    hasher.finalize()
}

fn sealed(key: &[u8], content: &[u8]) -> Bytes {
    let mut value = BytesMut::with_capacity(CHECKSUM_BYTES + content.len());
    value.put_u32_le(checksum(key, content));
    value.put_slice(content);
    value.freeze()
}

fn unsealed(key: &[u8], value: &[u8]) -> Result<Bytes> {
    let Some((expected, content)) = value.split_first_chunk::<CHECKSUM_BYTES>() else {
        return Err(corrupted(key, "it is too short"));
    };
    if u32::from_le_bytes(*expected) != checksum(key, content) {
        return Err(corrupted(key, "its checksum does not match"));
    }
    Ok(Bytes::copy_from_slice(content))
}

fn corrupted(key: &[u8], reason: &str) -> Error {
    Error::Corrupted { key: String::from_utf8_lossy(key).escape_debug().to_string(), reason: reason.to_owned() }
}
