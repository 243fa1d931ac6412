//! CREATE SECRET, DROP SECRET.
//!
//! A secret opens for everybody what it opens: only superusers may make one, as with all that concerns the whole server.

use std::sync::Arc;

use catalog::CatalogChange;
use pg::PgError;
use pg::sqlstate::SqlState;
use storage::object_stores::GivenSecret;

use crate::error::Result;
use crate::parse::secrets::{CreateSecret, DropSecret};
use crate::session::Session;
use crate::statement::Outcome;
use crate::statement::role::asker;

/// CREATE SECRET.
///
/// # Errors
/// The role is no superuser, there is a secret of this name, or its options do not go together.
pub async fn create(session: &mut Session, create: &CreateSecret) -> Result<Outcome> {
    let done = || Ok(Outcome::command("CREATE SECRET"));
    let asker = asker(session)?;
    if !asker.superuser {
        return Err(denied("must be superuser to create a secret").into());
    }
    let snapshot = session.snapshot()?;
    let old = snapshot.secrets().get(&create.name);
    if old.is_some() && create.if_not_exists {
        session.notice(format!("secret \"{}\" already exists, skipping", create.name));
        return done();
    }
    if old.is_some() && !create.or_replace {
        return Err(catalog::Error::SecretExists(create.name.clone()).into());
    }
    let (scope, options) = (create.scope.clone(), create.options.clone());
    let given = GivenSecret { kind: create.kind, scope, options };
    let server = session.server.clone();
    let oid = old.map_or_else(|| server.catalog.allocate_oid(), |old| old.oid);
    let secret = server.stores.seal(oid, asker.oid, &create.name, given)?;
    session
        .commit(vec![match old {
            Some(old) => CatalogChange::ReplaceSecret { old: old.clone(), new: Arc::new(secret) },
            None => CatalogChange::CreateSecret(secret),
        }])
        .await?;
    done()
}

/// DROP SECRET.
///
/// # Errors
/// The role is no superuser, or there is no such secret.
pub async fn drop(session: &mut Session, drop: &DropSecret) -> Result<Outcome> {
    if !asker(session)?.superuser {
        return Err(denied("must be superuser to drop a secret").into());
    }
    let found = session.snapshot()?.secrets().get(&drop.name).map(|secret| secret.oid);
    match found {
        Some(oid) => session.commit(vec![CatalogChange::DropSecret { oid }]).await?,
        None if drop.if_exists => session.notice(format!("secret \"{}\" does not exist, skipping", drop.name)),
        None => {
            let message = format!("secret \"{}\" does not exist", drop.name);
            return Err(PgError::new(SqlState::UNDEFINED_OBJECT, message).into());
        }
    }
    Ok(Outcome::command("DROP SECRET"))
}

fn denied(message: &str) -> PgError {
    PgError::new(SqlState::INSUFFICIENT_PRIVILEGE, message)
}
