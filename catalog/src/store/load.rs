//! How the records of a store become a snapshot again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use bytes::{Buf, Bytes};
use roaring::RoaringBitmap;
use serde::de::DeserializeOwned;

use crate::change::statistics::TABLE_ITSELF;
use crate::comment::{Commented, ObjectClass};
use crate::error::{Error, Result};
use crate::file_writes::{FileWrites, WriteNumber};
use crate::load_ledger::LoadedFile;
use crate::name::Oid;
use crate::partition::Partition;
use crate::role::Role;
use crate::rows::codec::RowsDecoder;
use crate::rows::{InlineUnit, Segment, SegmentFile, UnitId};
use crate::schema::Schema;
use crate::secret::StoredSecret;
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::statistics::{ColumnStatistics, TableStatistics};
use crate::store::CommitStore;
use crate::store::record::{FORMAT_VERSION, Meta, StoredRelation, corrupted, parse, unsealed};

/// The snapshot that a store holds, or `None` when the store is new. Files of segments that are not needed any more will
/// be reported to `garbage`.
///
/// # Errors
/// The store cannot be read, or holds something that this version does not read.
pub(crate) fn read_snapshot(
    store: &dyn CommitStore,
    garbage: Option<&Sender<SegmentFile>>,
) -> Result<Option<CatalogSnapshot>> {
    let mut loader: Option<Loader<'_>> = None;
    store.load(&mut |key, value| {
        let content = unsealed(key, value)?;
        match (&mut loader, key.first()) {
            (None, Some(b'a')) => {
                loader = Some(Loader { snapshot: empty_snapshot(key, &content)?, inline: BTreeMap::new(), garbage });
                Ok(())
            }
            (Some(loader), Some(kind)) => loader.restore(*kind, key, content),
            _ => Err(corrupted(key, "it comes before the record of the format")),
        }
    })?;
    Ok(loader.map(Loader::finish))
}

fn empty_snapshot(key: &[u8], content: &[u8]) -> Result<CatalogSnapshot> {
    let meta: Meta = parse(key, content)?;
    if meta.format_version != FORMAT_VERSION {
        return Err(Error::UnknownFormat { found: meta.format_version, supported: FORMAT_VERSION });
    }
    Ok(CatalogSnapshot {
        version: meta.version,
        definition_version: meta.definition_version,
        next_oid: meta.next_oid,
        next_unit: meta.next_unit,
        file_writes: Arc::new(FileWrites { system: meta.system, next: meta.next_file_write, ..FileWrites::default() }),
        ..CatalogSnapshot::empty()
    })
}

/// The snapshot as far as its records have been read. They come in the order of their keys: definitions first, then the
/// columns of inline units, their rows, segments, what is deleted, types, how far sequences have come, comments, roles, what is known of
/// the values of tables, what is written into object storage, which files have been loaded into tables, and secrets.
struct Loader<'a> {
    snapshot: CatalogSnapshot,
    inline: BTreeMap<(Oid, UnitId), (RowsDecoder, InlineUnit)>,
    garbage: Option<&'a Sender<SegmentFile>>,
}

impl Loader<'_> {
    fn restore(&mut self, kind: u8, key: &[u8], content: Bytes) -> Result<()> {
        match kind {
            b'b'..=b'd' => self.restore_definition(kind, key, &content),
            b'e' => {
                let (table, unit) = (key_oid(key)?, key_unit(key)?);
                let decoder = RowsDecoder::new(&content).map_err(|error| corrupted(key, &error.to_string()))?;
                let inline = InlineUnit::new(unit, decoder.schema().clone());
                self.inline.insert((table, unit), (decoder, inline));
                Ok(())
            }
            b'f' => self.restore_rows(key, &content),
            b'g' => self.restore_segment(key, content),
            b'h' => {
                let (table, unit) = (key_oid(key)?, key_unit(key)?);
                let block = u16::from_be_bytes(key_part(key, 13)?);
                let rows = RoaringBitmap::deserialize_from(content.as_ref());
                let rows = rows.map_err(|error| corrupted(key, &error.to_string()))?;
                self.snapshot.restored_rows(table).restore_deleted(unit, block, rows);
                Ok(())
            }
            b'i' => {
                let definitions = Arc::make_mut(&mut self.snapshot.definitions);
                definitions.put_type(Arc::new(parse(key, &content)?));
                Ok(())
            }
            b'j' => {
                self.snapshot.sequences.insert(key_oid(key)?, parse(key, &content)?);
                Ok(())
            }
            b'k' => self.restore_comment(key, &content),
            b'l' => {
                let role: Role = parse(key, &content)?;
                let definitions = Arc::make_mut(&mut self.snapshot.definitions);
                definitions.roles.insert(role.name.clone(), Arc::new(role));
                Ok(())
            }
            b'm' => self.restore_statistics(key, content),
            b'n' => {
                let number = WriteNumber(u64::from_be_bytes(key_part(key, 1)?));
                Arc::make_mut(&mut self.snapshot.file_writes)
                    .unfinished
                    .insert(number, Arc::new(parse(key, &content)?));
                Ok(())
            }
            b'o' => {
                let file: LoadedFile = parse(key, &content)?;
                let ledger = self.snapshot.loads.entry(key_oid(key)?).or_default();
                Arc::make_mut(ledger).add(file);
                Ok(())
            }
            b'p' => {
                let secret: StoredSecret = parse(key, &content)?;
                let definitions = Arc::make_mut(&mut self.snapshot.definitions);
                Arc::make_mut(&mut definitions.secrets).insert(secret.name.clone(), Arc::new(secret));
                Ok(())
            }
            _ => Err(corrupted(key, "its kind is unknown")),
        }
    }

    fn restore_definition(&mut self, kind: u8, key: &[u8], content: &[u8]) -> Result<()> {
        let definitions = Arc::make_mut(&mut self.snapshot.definitions);
        match kind {
            b'b' => {
                let schema: Schema = parse(key, content)?;
                definitions.schemas.insert(schema.name.clone(), Arc::new(schema));
            }
            b'c' => {
                let relation = match parse(key, content)? {
                    StoredRelation::Hot(table) => Relation::Hot(Arc::new(table)),
                    StoredRelation::External(table) => Relation::External(Arc::new(table)),
                    StoredRelation::View(view) => Relation::View(Arc::new(view)),
                    StoredRelation::Sequence(sequence) => Relation::Sequence(Arc::new(sequence)),
                };
                definitions.names.insert(relation.oid(), relation.name().clone());
                definitions.relations.insert(relation.name().clone(), relation);
            }
            _ => {
                let partition: Partition = parse(key, content)?;
                let partitions = definitions.partitions.entry(key_oid(key)?).or_default();
                Arc::make_mut(partitions).insert(partition);
            }
        }
        Ok(())
    }

    fn restore_comment(&mut self, key: &[u8], content: &[u8]) -> Result<()> {
        let class = ObjectClass::of_oid(u32::from_be_bytes(key_part(key, 1)?));
        let class = class.ok_or_else(|| corrupted(key, "its class is unknown"))?;
        let oid = Oid(u32::from_be_bytes(key_part(key, 5)?));
        let commented = Commented { class, oid, column: i16::from_be_bytes(key_part(key, 9)?) };
        let text = std::str::from_utf8(content).map_err(|error| corrupted(key, &error.to_string()))?;
        Arc::make_mut(&mut self.snapshot.definitions).comments.insert(commented, text.into());
        Ok(())
    }

    fn restore_rows(&mut self, key: &[u8], content: &Bytes) -> Result<()> {
        let (table, unit) = (key_oid(key)?, key_unit(key)?);
        let first_row = u32::from_be_bytes(key_part(key, 13)?);
        let known = self.inline.get_mut(&(table, unit));
        let (decoder, inline) = known.ok_or_else(|| corrupted(key, "its unit is not there"))?;
        if inline.rows() != first_row {
            return Err(corrupted(key, "rows before it are not there"));
        }
        let rows = decoder.decode(content).and_then(|rows| inline.append(rows));
        rows.map_err(|error| corrupted(key, &error.to_string()))
    }

    fn restore_segment(&mut self, key: &[u8], content: Bytes) -> Result<()> {
        let (mut file, details): (SegmentFile, Bytes) = json_and(key, content)?;
        file.details = details;
        let segment = Segment::new(file, self.garbage.cloned());
        segment.set_needed(true);
        let unit = key_unit(key)?;
        self.snapshot.restored_rows(key_oid(key)?).add_segment(unit, Arc::new(segment));
        Ok(())
    }

    fn restore_statistics(&mut self, key: &[u8], content: Bytes) -> Result<()> {
        let (table, column) = (key_oid(key)?, i16::from_be_bytes(key_part(key, 5)?));
        let statistics = &mut self.snapshot.statistics;
        if column == TABLE_ITSELF {
            let known: TableStatistics = parse(key, &content)?;
            statistics.insert(table, Arc::new(known));
            return Ok(());
        }
        let (known, values): (ColumnStatistics, Bytes) = json_and(key, content)?;
        let known = known.with_bytes(&values).map_err(|error| corrupted(key, &error.to_string()))?;
        let of_table = statistics.get_mut(&table).ok_or_else(|| corrupted(key, "its table is not there"))?;
        Arc::make_mut(of_table).columns.insert(column, Arc::new(known));
        Ok(())
    }

    fn finish(mut self) -> CatalogSnapshot {
        for ((table, _), (_, unit)) in self.inline {
            self.snapshot.restored_rows(table).restore_unit(unit);
        }
        for (table, known) in std::mem::take(&mut self.snapshot.statistics) {
            let found = known.found_with(&self.snapshot.rows(table));
            self.snapshot.statistics.insert(table, Arc::new(found));
        }
        self.snapshot
    }
}

/// What was written as JSON, and the bytes behind it.
fn json_and<T: DeserializeOwned>(key: &[u8], mut content: Bytes) -> Result<(T, Bytes)> {
    let length = if content.len() < size_of::<u32>() { usize::MAX } else { content.get_u32_le() as usize };
    if content.len() < length {
        return Err(corrupted(key, "it is too short"));
    }
    let value = parse(key, &content.split_to(length))?;
    Ok((value, content))
}

fn key_oid(key: &[u8]) -> Result<Oid> {
    Ok(Oid(u32::from_be_bytes(key_part(key, 1)?)))
}

fn key_unit(key: &[u8]) -> Result<UnitId> {
    Ok(UnitId(u64::from_be_bytes(key_part(key, 5)?)))
}

fn key_part<const LENGTH: usize>(key: &[u8], from: usize) -> Result<[u8; LENGTH]> {
    let part = key.get(from..from + LENGTH).and_then(|bytes| bytes.try_into().ok());
    part.ok_or_else(|| corrupted(key, "its key is too short"))
}
