//! Whether objects are found by their names alone, and where temporary ones are (PostgreSQL's `namespace.c`).

use arrow::array::ArrayRef;
use catalog::UserTypeKind;
use catalog::name::TEMPORARY_SCHEMA_PREFIX;

use crate::error::Result;
use crate::function::{Call, Function, Oid, function};
use crate::names::{self, Definition, Names};
use crate::recorded;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_collation_is_visible", &[OID], BOOL, |call| of_system(call, "pg_collation")).stable(),
    function("pg_conversion_is_visible", &[OID], BOOL, |call| of_system(call, "pg_conversion")).stable(),
    function("pg_function_is_visible", &[OID], BOOL, |call| of_system(call, "pg_proc")).stable(),
    function("pg_is_other_temp_schema", &[OID], BOOL, pg_is_other_temp_schema).stable(),
    function("pg_my_temp_schema", &[], OID, pg_my_temp_schema).stable(),
    function("pg_opclass_is_visible", &[OID], BOOL, |call| of_system(call, "pg_opclass")).stable(),
    function("pg_operator_is_visible", &[OID], BOOL, |call| of_system(call, "pg_operator")).stable(),
    function("pg_opfamily_is_visible", &[OID], BOOL, |call| of_system(call, "pg_opfamily")).stable(),
    function("pg_statistics_obj_is_visible", &[OID], BOOL, |call| of_system(call, "pg_statistic_ext")).stable(),
    function("pg_relation_is_publishable", &[REGCLASS], BOOL, pg_relation_is_publishable).stable(),
    function("pg_table_is_visible", &[OID], BOOL, pg_table_is_visible).stable(),
    function("pg_ts_config_is_visible", &[OID], BOOL, |call| of_system(call, "pg_ts_config")).stable(),
    function("pg_ts_dict_is_visible", &[OID], BOOL, |call| of_system(call, "pg_ts_dict")).stable(),
    function("pg_ts_parser_is_visible", &[OID], BOOL, |call| of_system(call, "pg_ts_parser")).stable(),
    function("pg_ts_template_is_visible", &[OID], BOOL, |call| of_system(call, "pg_ts_template")).stable(),
    function("pg_type_is_visible", &[OID], BOOL, pg_type_is_visible).stable(),
];

/// Of objects that are in `pg_catalog` only, where nothing can hide them: users make none of the kind.
fn of_system(call: &Call, relation: &str) -> Result<ArrayRef> {
    call.map1(|oid: Oid| recorded::has_number(relation, oid.0).then_some(true))
}

/// Whether the changes of a relation could be published: those of tables that last, but the system's.
fn pg_relation_is_publishable(call: &Call) -> Result<ArrayRef> {
    let names = names::current();
    call.map1(|oid: Oid| {
        let names = names.as_ref()?;
        names.full_relation_name(oid.0)?;
        let relation = names.snapshot().relation_by_oid(catalog::Oid(oid.0));
        Some(matches!(relation, Some(catalog::Relation::Hot(table)) if !table.name.is_temporary()))
    })
}

fn pg_table_is_visible(call: &Call) -> Result<ArrayRef> {
    let names = names::current();
    call.map1(|oid: Oid| {
        let names = names.as_ref()?;
        let visible = names.full_relation_name(oid.0).map(|(_, visible)| visible);
        visible.or_else(|| is_composite(names, oid.0).then(|| type_is_visible(names, oid.0))?)
    })
}

/// Whether it is the number of a type that is a relation without rows.
fn is_composite(names: &Names, oid: u32) -> bool {
    let ty = names.snapshot().user_type_by_oid(catalog::Oid(oid));
    ty.is_some_and(|ty| ty.oid.0 == oid && matches!(ty.kind, UserTypeKind::Composite(_)))
}

fn pg_type_is_visible(call: &Call) -> Result<ArrayRef> {
    let names = names::current();
    call.map1(|oid: Oid| type_is_visible(names.as_ref()?, oid.0))
}

fn type_is_visible(names: &Names, oid: u32) -> Option<bool> {
    if !names::is_user_number(oid) {
        return (type_name(oid) != "???").then_some(true);
    }
    let name = match names::definition(oid)? {
        array @ Definition::Array(_) => format!("_{}", array.bare_name()),
        other => other.bare_name().to_owned(),
    };
    Some(names.type_named(&[name]) == Some(oid))
}

/// 0 as long as the session has nothing temporary.
fn pg_my_temp_schema(call: &Call) -> Result<ArrayRef> {
    let names = names::current();
    let schema = names.as_ref().and_then(|names| names.snapshot().schema(names.temporary_schema()));
    let number = schema.map_or(0, |schema| schema.oid.0);
    call.map0(|| Oid(number))
}

/// Sessions see their own only, so there is none of another.
fn pg_is_other_temp_schema(call: &Call) -> Result<ArrayRef> {
    let names = names::current();
    call.map1(|oid: Oid| {
        names.as_ref().is_some_and(|names| {
            let mut schemas = names.snapshot().schemas();
            let found = schemas.find(|schema| schema.oid.0 == oid.0);
            let is_other = |name: &str| name.starts_with(TEMPORARY_SCHEMA_PREFIX) && name != names.temporary_schema();
            found.is_some_and(|schema| is_other(&schema.name))
        })
    })
}
