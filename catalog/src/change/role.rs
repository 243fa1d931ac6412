//! What happens to roles.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::name::Oid;
use crate::role::Role;
use crate::snapshot::CatalogSnapshot;
use crate::store::{RecordKey, Touched};

impl CatalogSnapshot {
    pub(super) fn create_role(&mut self, role: &Role, touched: &mut Touched) -> Result<()> {
        if self.role(&role.name).is_some() {
            return Err(Error::RoleExists(role.name.clone()));
        }
        self.reserve_oid(role.oid);
        self.put_role(Arc::new(role.clone()), touched);
        Ok(())
    }

    pub(super) fn replace_role(&mut self, old: &Role, new: &Arc<Role>, touched: &mut Touched) -> Result<()> {
        if self.role_by_oid(old.oid).is_none_or(|found| found.as_ref() != old) {
            return Err(Error::ChangedConcurrently { oid: old.oid });
        }
        if old.name != new.name && self.role(&new.name).is_some() {
            return Err(Error::RoleExists(new.name.clone()));
        }
        self.definitions_mut().roles.remove(&old.name);
        self.put_role(new.clone(), touched);
        Ok(())
    }

    pub(super) fn drop_role(&mut self, oid: Oid, touched: &mut Touched) -> Result<()> {
        let role = self.role_by_oid(oid).cloned().ok_or(Error::ChangedConcurrently { oid })?;
        self.definitions_mut().roles.remove(&role.name);
        touched.records.push(RecordKey::Role(oid));
        Ok(())
    }

    fn put_role(&mut self, role: Arc<Role>, touched: &mut Touched) {
        touched.records.push(RecordKey::Role(role.oid));
        self.definitions_mut().roles.insert(role.name.clone(), role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CatalogChange;
    use crate::role::{FIRST_ROLE, PasswordVerifier};

    #[test]
    fn roles_come_change_and_go() {
        let initial = CatalogSnapshot::initial();
        assert!(initial.role(FIRST_ROLE).is_some_and(|role| role.superuser && role.can_login));
        let old = Role::new(Oid(20_000), "eva");
        let made = initial.after(&[CatalogChange::CreateRole(old.clone())]).unwrap();
        assert!(matches!(made.after(&[CatalogChange::CreateRole(old.clone())]), Err(Error::RoleExists(_))));
        let old = Arc::new(old);
        let new = Arc::new(Role { name: "adam".into(), ..old.as_ref().clone() });
        let replace = CatalogChange::ReplaceRole { old: old.clone(), new };
        let renamed = made.after(std::slice::from_ref(&replace)).unwrap();
        assert!(renamed.role("eva").is_none());
        assert_eq!(renamed.role_by_oid(old.oid).unwrap().name, "adam");
        assert!(matches!(renamed.after(&[replace]), Err(Error::ChangedConcurrently { .. })));
        let first = Arc::new(Role { name: FIRST_ROLE.into(), ..old.as_ref().clone() });
        assert!(matches!(made.after(&[CatalogChange::ReplaceRole { old, new: first }]), Err(Error::RoleExists(_))));
        let dropped = renamed.after(&[CatalogChange::DropRole { oid: Oid(20_000) }]).unwrap();
        assert!(dropped.role("adam").is_none());
    }

    #[test]
    fn a_verifier_is_not_printed() {
        let password = Some(PasswordVerifier("hush".into()));
        assert!(!format!("{:?}", Role { password, ..Role::new(Oid(1), "eva") }).contains("hush"));
    }
}
