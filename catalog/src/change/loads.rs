//! Changes of which files have been loaded into hot tables.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::load_ledger::LoadedFile;
use crate::name::Oid;
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::store::{RecordKey, Touched};

impl CatalogSnapshot {
    /// The rows beside it are those of the files. Of two transactions that load the same file, the second is refused,
    /// unless it wants to load what has been loaded.
    pub(super) fn record_loads(
        &mut self,
        table: Oid,
        files: &[LoadedFile],
        is_forced: bool,
        touched: &mut Touched,
    ) -> Result<()> {
        if !matches!(self.relation_by_oid(table), Some(Relation::Hot(_))) {
            return Err(Error::ChangedConcurrently { oid: table });
        }
        let mut ledger = self.loads(table).as_ref().clone();
        if !is_forced && files.iter().any(|file| ledger.has(&file.url, &file.version)) {
            return Err(Error::ChangedConcurrently { oid: table });
        }
        for file in files {
            touched.records.push(RecordKey::LoadedFile(table, file.url.clone()));
            ledger.add(file.clone());
        }
        let forgotten = ledger.forget_oldest();
        touched.records.extend(forgotten.into_iter().map(|url| RecordKey::LoadedFile(table, url)));
        self.loads.insert(table, Arc::new(ledger));
        Ok(())
    }

    /// A table's rows are no more, or it is not itself.
    pub(super) fn drop_loads(&mut self, table: Oid, touched: &mut Touched) {
        let Some(gone) = self.loads.remove(&table) else { return };
        touched.records.extend(gone.files().map(|file| RecordKey::LoadedFile(table, file.url.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CatalogChange;
    use crate::hot_table::HotTable;
    use crate::load_ledger::FileVersion;
    use crate::name::ObjectName;

    const TABLE: Oid = Oid(20_000);

    fn load(url: &str, e_tag: &str, is_forced: bool) -> CatalogChange {
        let version = FileVersion { e_tag: Some(e_tag.to_owned()), size: 1, modified_us: 1 };
        CatalogChange::RecordLoads {
            table: TABLE,
            files: vec![LoadedFile { url: url.into(), version, loaded_us: 1 }],
            is_forced,
        }
    }

    fn loaded() -> CatalogSnapshot {
        let table = HotTable::new(TABLE, ObjectName::new("public", "t"), Vec::new());
        let changes = [CatalogChange::CreateHotTable(table), load("a", "1", false)];
        CatalogSnapshot::initial().after(&changes).unwrap()
    }

    #[test]
    fn the_second_load_of_a_file_is_refused_unless_it_is_another_version_or_forced() {
        let loaded = loaded();
        assert!(matches!(loaded.after(&[load("a", "1", false)]), Err(Error::ChangedConcurrently { .. })));
        for change in [load("a", "1", true), load("a", "2", false), load("b", "1", false)] {
            assert!(loaded.after(&[change]).is_ok());
        }
    }

    #[test]
    fn what_was_loaded_is_forgotten_with_the_rows() {
        for change in [CatalogChange::Truncate { table: TABLE, seen: None }, CatalogChange::DropRelation { oid: TABLE }]
        {
            assert_eq!(loaded().after(&[change]).unwrap().loads(TABLE).files().count(), 0);
        }
        let again = loaded().after(&[CatalogChange::Truncate { table: TABLE, seen: None }, load("a", "1", false)]);
        assert_eq!(again.unwrap().loads(TABLE).files().count(), 1);
    }
}
