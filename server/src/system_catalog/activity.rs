//! `pg_stat_activity`: what all sessions are doing.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use pg::names::DATABASE_OID;
use pg::recorded::Relation;

use super::rows::{Rows, Value, schema_of};
use crate::plan::in_memory::RowSource;
use crate::session::activity::ActivityState;
use crate::session::{Identity, SessionRegistry};

/// The relation's name.
pub const NAME: &str = "pg_stat_activity";
/// What others see in place of a statement.
const HIDDEN: &str = "<insufficient privilege>";

/// The rows, as they are when they are read.
#[derive(Debug)]
pub struct ActivityRows {
    schema: SchemaRef,
    sessions: Arc<SessionRegistry>,
    asking: Arc<Identity>,
    is_superuser: bool,
}

impl ActivityRows {
    /// The rows for one who asks.
    pub fn new(
        relation: &'static Relation,
        sessions: Arc<SessionRegistry>,
        asking: Arc<Identity>,
        is_superuser: bool,
    ) -> Self {
        ActivityRows { schema: schema_of(relation), sessions, asking, is_superuser }
    }

    fn made(&self) -> crate::error::Result<RecordBatch> {
        let mut rows = Rows::new(
            NAME,
            &[
                "datid",
                "datname",
                "pid",
                "usesysid",
                "usename",
                "application_name",
                "client_addr",
                "client_port",
                "backend_start",
                "xact_start",
                "query_start",
                "state_change",
                "wait_event_type",
                "wait_event",
                "state",
                "query",
                "backend_type",
            ],
        )?;
        for entry in self.sessions.all() {
            let (origin, activity) = (&entry.origin, entry.activity());
            let may_look = self.is_superuser || origin.role == self.asking.role;
            let time = |time: Option<i64>| time.filter(|_| may_look).map_or(Value::Null, Value::Time);
            let waits = may_look && activity.state != ActivityState::Active;
            let port = match origin.peer {
                Some(peer) => i32::from(peer.port()),
                None => -1,
            };
            rows.push([
                DATABASE_OID.into(),
                Value::from(&origin.database),
                entry.process_id.into(),
                origin.role.into(),
                Value::from(&origin.user),
                Value::from(&activity.application_name),
                origin.peer.filter(|_| may_look).map(|peer| peer.ip().to_string()).into(),
                may_look.then_some(port).into(),
                time(Some(activity.session_start_us)),
                time(activity.transaction_start_us),
                time(activity.query_start_us),
                time(Some(activity.state_change_us)),
                waits.then_some("Client").into(),
                waits.then_some("ClientRead").into(),
                may_look.then_some(activity.state.name()).into(),
                Value::from(if may_look { &activity.query } else { HIDDEN }),
                may_look.then_some("client backend").into(),
            ])?;
        }
        rows.finish()
    }
}

impl RowSource for ActivityRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn rows(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.made().map_err(|error| DataFusionError::External(Box::new(error)))?])
    }
}
