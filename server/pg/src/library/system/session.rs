//! The session: who asks, where names are looked up, and how it is set.

use arrow::array::ArrayRef;

use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::session::SessionValues;
use crate::sqlstate::SqlState;
use crate::types::*;

/// The schema that PostgreSQL searches first unless the search path has it somewhere.
const PG_CATALOG: &str = "pg_catalog";

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("current_database", &[], NAME, current_database).stable(),
    function("current_schema", &[], NAME, current_schema).stable(),
    function("current_schemas", &[BOOL], NAME_ARRAY, current_schemas).stable(),
    function("current_setting", &[TEXT], TEXT, current_setting).stable(),
    function("current_setting", &[TEXT, BOOL], TEXT, current_setting_or_null).stable(),
    function("current_user", &[], NAME, current_user).stable(),
    function("getpgusername", &[], NAME, current_user).stable(),
    function("session_user", &[], NAME, current_user).stable(),
    function("pg_backend_pid", &[], INT4, pg_backend_pid).stable(),
    function("pg_blocking_pids", &[INT4], INT4_ARRAY, pg_blocking_pids).volatile(),
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

fn pg_is_in_recovery(call: &Call) -> Result<ArrayRef> {
    call.map0(|| false)
}

fn version(call: &Call) -> Result<ArrayRef> {
    call.map0(|| call.session().version.as_str())
}

fn current_setting(call: &Call) -> Result<ArrayRef> {
    let session = call.session();
    call.map1(|name: &str| setting(session, name).ok_or_else(|| unrecognized(name)))
}

fn current_setting_or_null(call: &Call) -> Result<ArrayRef> {
    let session = call.session();
    call.map2(|name: &str, missing_ok: bool| match setting(session, name) {
        None if !missing_ok => Err(unrecognized(name)),
        found => Ok(found),
    })
}

fn setting<'a>(session: &'a SessionValues, name: &str) -> Option<&'a str> {
    let found = session.settings.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn unrecognized(name: &str) -> PgError {
    PgError::new(SqlState::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
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
        let missing = call("current_setting", &[(TEXT, Some("foo.bar"))]).unwrap_err();
        assert_eq!(missing.sqlstate, SqlState::UNDEFINED_OBJECT);
        assert_eq!(missing.message, "unrecognized configuration parameter \"foo.bar\"");
        assert_eq!(call("current_setting", &[(TEXT, Some("foo.bar")), (BOOL, Some("t"))]).unwrap(), None);
    }
}
