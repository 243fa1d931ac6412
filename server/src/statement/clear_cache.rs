//! CLEAR CACHE: what the server keeps to read less is forgotten, for everybody. Nothing but time is lost.

use crate::error::Result;
use crate::parse::statement::CacheName;
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;

/// # Errors
/// 42501: the user may not.
pub async fn execute(session: &mut Session, cache: CacheName) -> Result<Outcome> {
    authorize(&session.identity, Action::ClearCache, Object::Database)?;
    let reading = session.server.engine.reading();
    if matches!(cache, CacheName::All | CacheName::Columns) {
        reading.columns.clear();
    }
    if matches!(cache, CacheName::All | CacheName::Footers) {
        reading.footers.clear();
    }
    if matches!(cache, CacheName::All | CacheName::Pages)
        && let Some(pages) = &reading.pages
    {
        pages.clear().await;
    }
    if matches!(cache, CacheName::All | CacheName::Listings) {
        session.server.stores.listings().clear();
    }
    Ok(Outcome::command("CLEAR CACHE"))
}
