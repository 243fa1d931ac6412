//! What was said with COMMENT ON, and what PostgreSQL says of its own objects.

use arrow::array::ArrayRef;
use catalog::comment::{Commented, ObjectClass};

use crate::error::Result;
use crate::function::{Call, Function, Oid, function};
use crate::names::{self, PG_CATALOG};
use crate::recorded;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("col_description", &[OID, INT4], TEXT, col_description).stable(),
    function("obj_description", &[OID], TEXT, obj_description_of_any).stable(),
    function("obj_description", &[OID, NAME], TEXT, obj_description).stable(),
    function("shobj_description", &[OID, NAME], TEXT, obj_description).stable(),
];

fn comment(commented: Commented) -> Option<String> {
    names::current()?.comment(commented).map(str::to_owned)
}

fn col_description(call: &Call) -> Result<ArrayRef> {
    call.map2(|relation: Oid, column: i32| {
        let column = i16::try_from(column).ok()?;
        comment(Commented::column(catalog::Oid(relation.0), column))
    })
}

/// Of the first kind of objects of which one has the number.
fn obj_description_of_any(call: &Call) -> Result<ArrayRef> {
    call.map1(|object: Oid| {
        let classes = [ObjectClass::Relation, ObjectClass::Type, ObjectClass::Schema, ObjectClass::Constraint];
        let said = classes.into_iter().find_map(|class| comment(Commented::object(class, catalog::Oid(object.0))));
        said.or_else(|| ["pg_proc", "pg_type", "pg_operator"].iter().find_map(|class| recorded_comment(object, class)))
    })
}

fn obj_description(call: &Call) -> Result<ArrayRef> {
    call.map2(|object: Oid, class: &str| {
        let said = ObjectClass::named(class).and_then(|it| comment(Commented::object(it, catalog::Oid(object.0))));
        said.or_else(|| recorded_comment(object, class))
    })
}

/// What PostgreSQL says about what it has from the start.
fn recorded_comment(object: Oid, class: &str) -> Option<String> {
    let class = recorded::relation(PG_CATALOG, class)?.oid;
    recorded::description(class, object.0).map(str::to_owned)
}
