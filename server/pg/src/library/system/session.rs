//! The session: who asks, and where names are looked up.

use std::net::SocketAddr;

use arrow::array::ArrayRef;

use crate::error::{PgError, Result};
use crate::function::{Call, Function, Oid, Timestamp, function};
use crate::recorded;
use crate::session::Addresses;
use crate::sqlstate::SqlState;
use crate::types::*;

/// The schema that PostgreSQL searches first unless the search path has it somewhere.
const PG_CATALOG: &str = "pg_catalog";

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("current_database", &[], NAME, current_database).stable(),
    function("current_schema", &[], NAME, current_schema).stable(),
    function("current_schemas", &[BOOL], NAME_ARRAY, current_schemas).stable(),
    function("current_user", &[], NAME, current_user).stable(),
    function("getpgusername", &[], NAME, current_user).stable(),
    function("session_user", &[], NAME, current_user).stable(),
    function("pg_conf_load_time", &[], TIMESTAMPTZ, start_time).stable(),
    function("pg_postmaster_start_time", &[], TIMESTAMPTZ, start_time).stable(),
    function("pg_tablespace_location", &[OID], TEXT, pg_tablespace_location).stable(),
    function("inet_client_addr", &[], INET, |call| address(call, |ends| ends.client)).stable(),
    function("inet_client_port", &[], INT4, |call| port(call, |ends| ends.client)).stable(),
    function("inet_server_addr", &[], INET, |call| address(call, |ends| ends.server)).stable(),
    function("inet_server_port", &[], INT4, |call| port(call, |ends| ends.server)).stable(),
    function("host", &[INET], TEXT, host),
    function("pg_backend_pid", &[], INT4, pg_backend_pid).stable(),
    function("pg_blocking_pids", &[INT4], INT4_ARRAY, pg_blocking_pids).volatile(),
    function("pg_last_copy_count", &[], INT8, pg_last_copy_count).volatile(),
    function("pg_last_copy_id", &[], INT4, pg_last_copy_id).volatile(),
    function("pg_is_in_recovery", &[], BOOL, pg_is_in_recovery).volatile(),
    function("version", &[], TEXT, version).stable(),
];

fn current_database(call: &Call) -> Result<ArrayRef> {
    call.map0(|| call.session().database.as_str())
}

fn current_schema(call: &Call) -> Result<ArrayRef> {
    let schema = call.session().schemas.first().map(String::as_str);
    call.map0(|| schema)
}

fn current_schemas(call: &Call) -> Result<ArrayRef> {
    let schemas = &call.session().schemas;
    let pg_catalog = (!schemas.iter().any(|schema| schema == PG_CATALOG)).then_some(PG_CATALOG);
    let implied = call.session().temporary_schema.as_deref().into_iter().chain(pg_catalog);
    call.map1(|with_implied: bool| {
        let implied = implied.clone().filter(|_| with_implied);
        let names = implied.chain(schemas.iter().map(String::as_str));
        names.map(|name| Some(name.to_owned())).collect::<Vec<_>>()
    })
}

fn current_user(call: &Call) -> Result<ArrayRef> {
    call.map0(|| call.session().user.as_str())
}

/// The settings are read when the server starts.
fn start_time(call: &Call) -> Result<ArrayRef> {
    let start_us = call.session().server_start_us;
    call.map0(|| Timestamp(start_us))
}

/// The tablespaces that there are, and 0, which stands for that of the database, are where the server has its data.
fn pg_tablespace_location(call: &Call) -> Result<ArrayRef> {
    call.map1(|oid: Oid| match oid.0 == 0 || recorded::has_number("pg_tablespace", oid.0) {
        true => Ok(""),
        false => {
            let message = format!("could not stat file \"pg_tblspc/{}\": No such file or directory", oid.0);
            Err(PgError::new(SqlState::UNDEFINED_FILE, message))
        }
    })
}

/// The address of one end of the connection; NULL at a Unix socket.
fn address(call: &Call, end: fn(&Addresses) -> SocketAddr) -> Result<ArrayRef> {
    let address = call.session().addresses.as_ref().map(|ends| end(ends).ip().to_canonical().to_string());
    call.map0(|| address.as_deref())
}

fn port(call: &Call, end: fn(&Addresses) -> SocketAddr) -> Result<ArrayRef> {
    let port = call.session().addresses.as_ref().map(|ends| i32::from(end(ends).port()));
    call.map0(|| port)
}

/// An address without the length of its network.
fn host(call: &Call) -> Result<ArrayRef> {
    call.map1(|address: &str| address.split('/').next().unwrap_or_default().to_owned())
}

fn pg_backend_pid(call: &Call) -> Result<ArrayRef> {
    let process_id = call.session().process_id;
    call.map0(|| process_id)
}

fn pg_blocking_pids(call: &Call) -> Result<ArrayRef> {
    let waits = call.session().waits.as_ref();
    call.map1(|process_id: i32| {
        let blocking = waits.map(|waits| waits.blocking(process_id)).unwrap_or_default();
        blocking.into_iter().map(Some).collect::<Vec<_>>()
    })
}

/// Redshift's: the rows that the last COPY of the session has loaded.
fn pg_last_copy_count(call: &Call) -> Result<ArrayRef> {
    let rows = call.session().last_load.as_ref().map_or(0, |load| load.rows());
    call.map0(|| rows)
}

/// Redshift's: the number of the last COPY of the session in its system views; -1 when there was none.
fn pg_last_copy_id(call: &Call) -> Result<ArrayRef> {
    let query = call.session().last_load.as_ref().map_or(-1, |load| load.query());
    call.map0(|| i32::try_from(query).unwrap_or(-1))
}

fn pg_is_in_recovery(call: &Call) -> Result<ArrayRef> {
    call.map0(|| false)
}

fn version(call: &Call) -> Result<ArrayRef> {
    call.map0(|| call.session().version.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn the_session_answers() {
        assert_eq!(call("current_schema", &[]).unwrap(), None);
        assert_eq!(call("current_schemas", &[(BOOL, Some("t"))]).unwrap().unwrap(), "{pg_catalog}");
        assert_eq!(call("current_schemas", &[(BOOL, Some("f"))]).unwrap().unwrap(), "{}");
        assert_eq!(call("pg_is_in_recovery", &[]).unwrap().unwrap(), "f");
    }
}
