//! What happens to secrets.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::name::Oid;
use crate::secret::StoredSecret;
use crate::snapshot::CatalogSnapshot;
use crate::store::{RecordKey, Touched};

impl CatalogSnapshot {
    pub(super) fn create_secret(&mut self, secret: &StoredSecret, touched: &mut Touched) -> Result<()> {
        if self.secrets().contains_key(&secret.name) {
            return Err(Error::SecretExists(secret.name.clone()));
        }
        self.reserve_oid(secret.oid);
        self.put_secret(Arc::new(secret.clone()), touched);
        Ok(())
    }

    pub(super) fn replace_secret(
        &mut self,
        old: &StoredSecret,
        new: &Arc<StoredSecret>,
        touched: &mut Touched,
    ) -> Result<()> {
        if self.secrets().get(&old.name).is_none_or(|found| found.as_ref() != old) {
            return Err(Error::ChangedConcurrently { oid: old.oid });
        }
        self.put_secret(new.clone(), touched);
        Ok(())
    }

    pub(super) fn drop_secret(&mut self, oid: Oid, touched: &mut Touched) -> Result<()> {
        let found = self.secrets().values().find(|secret| secret.oid == oid);
        let name = found.map(|secret| secret.name.clone()).ok_or(Error::ChangedConcurrently { oid })?;
        Arc::make_mut(&mut self.definitions_mut().secrets).remove(&name);
        touched.records.push(RecordKey::Secret(oid));
        Ok(())
    }

    fn put_secret(&mut self, secret: Arc<StoredSecret>, touched: &mut Touched) {
        touched.records.push(RecordKey::Secret(secret.oid));
        Arc::make_mut(&mut self.definitions_mut().secrets).insert(secret.name.clone(), secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CatalogChange;
    use crate::secret::SecretKind;

    fn secret(sealed: u8) -> StoredSecret {
        StoredSecret {
            oid: Oid(20_000),
            name: "lake".into(),
            owner: Oid(10),
            kind: SecretKind::S3,
            scope: "s3://lake/".into(),
            settings: Default::default(),
            sealed: vec![sealed],
        }
    }

    #[test]
    fn secrets_come_change_and_go() {
        let initial = CatalogSnapshot::initial();
        let create = CatalogChange::CreateSecret(secret(1));
        let made = initial.after(std::slice::from_ref(&create)).unwrap();
        assert!(matches!(made.after(&[create]), Err(Error::SecretExists(_))));
        let (old, new) = (Arc::new(secret(1)), Arc::new(secret(2)));
        let replace = CatalogChange::ReplaceSecret { old, new };
        let replaced = made.after(std::slice::from_ref(&replace)).unwrap();
        assert_eq!(replaced.secrets()["lake"].sealed, [2]);
        assert!(matches!(replaced.after(&[replace]), Err(Error::ChangedConcurrently { .. })));
        let drop = CatalogChange::DropSecret { oid: Oid(20_000) };
        let dropped = replaced.after(std::slice::from_ref(&drop)).unwrap();
        assert!(dropped.secrets().is_empty());
        assert!(matches!(dropped.after(&[drop]), Err(Error::ChangedConcurrently { .. })));
    }
}
