//! Who may do what, as clients ask: `has_table_privilege` and its kin, `pg_has_role` (PostgreSQL's `acl.c`).
//!
//! What is asked is read here; the answer is [`decision::is_allowed`]'s.

mod acl;
mod decision;
mod object;
pub mod privilege;
mod roles;

use std::sync::Arc;

use arrow::array::ArrayRef;
use catalog::Role;

use crate::error::{PgError, Result};
use crate::function::{Call, Column, Function, Kernel, Oid, function};
use crate::names::{self, Names};
use crate::sqlstate::SqlState;
use crate::types::*;

pub use acl::{FUNCTIONS as ACL_FUNCTIONS, SETS};
use decision::is_allowed;
use object::Object;
use privilege::{Kind, wanted};
pub use roles::FUNCTIONS as ROLE_FUNCTIONS;

/// What stands for everybody where a role is named.
const PUBLIC: &str = "public";

/// `has_table_privilege`
pub static TABLE: [Function; 6] = overloads("has_table_privilege", |call| has_privilege(call, Kind::Table));
/// `has_any_column_privilege`
pub static ANY_COLUMN: [Function; 6] =
    overloads("has_any_column_privilege", |call| has_privilege(call, Kind::AnyColumn));
/// `has_sequence_privilege`
pub static SEQUENCE: [Function; 6] = overloads("has_sequence_privilege", |call| has_privilege(call, Kind::Sequence));
/// `has_database_privilege`
pub static DATABASE: [Function; 6] = overloads("has_database_privilege", |call| has_privilege(call, Kind::Database));
/// `has_schema_privilege`
pub static SCHEMA: [Function; 6] = overloads("has_schema_privilege", |call| has_privilege(call, Kind::Schema));
/// `has_function_privilege`
pub static ROUTINE: [Function; 6] = overloads("has_function_privilege", |call| has_privilege(call, Kind::Function));
/// `has_type_privilege`
pub static TYPE: [Function; 6] = overloads("has_type_privilege", |call| has_privilege(call, Kind::Type));
/// `has_language_privilege`
pub static LANGUAGE: [Function; 6] = overloads("has_language_privilege", |call| has_privilege(call, Kind::Language));
/// `has_tablespace_privilege`
pub static TABLESPACE: [Function; 6] =
    overloads("has_tablespace_privilege", |call| has_privilege(call, Kind::Tablespace));
/// `has_server_privilege`
pub static SERVER: [Function; 6] = overloads("has_server_privilege", |call| has_privilege(call, Kind::Server));
/// `has_foreign_data_wrapper_privilege`
pub static WRAPPER: [Function; 6] =
    overloads("has_foreign_data_wrapper_privilege", |call| has_privilege(call, Kind::Wrapper));

/// `has_column_privilege`, `has_parameter_privilege`
pub static FUNCTIONS: &[Function] = &[
    function("has_column_privilege", &[NAME, TEXT, TEXT, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[NAME, TEXT, INT2, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[NAME, OID, TEXT, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[NAME, OID, INT2, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[OID, TEXT, TEXT, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[OID, TEXT, INT2, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[OID, OID, TEXT, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[OID, OID, INT2, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[TEXT, TEXT, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[TEXT, INT2, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[OID, TEXT, TEXT], BOOL, has_column_privilege).stable(),
    function("has_column_privilege", &[OID, INT2, TEXT], BOOL, has_column_privilege).stable(),
    function("has_parameter_privilege", &[NAME, TEXT, TEXT], BOOL, has_parameter_privilege).stable(),
    function("has_parameter_privilege", &[OID, TEXT, TEXT], BOOL, has_parameter_privilege).stable(),
    function("has_parameter_privilege", &[TEXT, TEXT], BOOL, has_parameter_privilege).stable(),
];

/// The forms of a function: a role by name, by number, or the one who asks; an object by name or by number.
const fn overloads(name: &'static str, kernel: Kernel) -> [Function; 6] {
    [
        function(name, &[NAME, TEXT, TEXT], BOOL, kernel).stable(),
        function(name, &[NAME, OID, TEXT], BOOL, kernel).stable(),
        function(name, &[OID, TEXT, TEXT], BOOL, kernel).stable(),
        function(name, &[OID, OID, TEXT], BOOL, kernel).stable(),
        function(name, &[TEXT, TEXT], BOOL, kernel).stable(),
        function(name, &[OID, TEXT], BOOL, kernel).stable(),
    ]
}

/// A role, an object or a column, as an argument says which.
#[derive(Debug, Clone, Copy)]
enum Written<'a> {
    Name(&'a str),
    Number(u32),
    /// The number of a column.
    Attribute(i16),
}

/// A column of such arguments.
enum WrittenColumn<'a> {
    Names(Column<'a, &'a str>),
    Numbers(Column<'a, Oid>),
    Attributes(Column<'a, i16>),
}

impl<'a> WrittenColumn<'a> {
    fn new(call: &'a Call, argument: usize) -> Result<Self> {
        Ok(match call.types.get(argument).map(|ty| ty.oid) {
            Some(OID) => WrittenColumn::Numbers(call.column(argument)?),
            Some(INT2) => WrittenColumn::Attributes(call.column(argument)?),
            _ => WrittenColumn::Names(call.column(argument)?),
        })
    }

    fn get(&self, row: usize) -> Option<Written<'a>> {
        match self {
            WrittenColumn::Names(names) => names.get(row).map(Written::Name),
            WrittenColumn::Numbers(numbers) => numbers.get(row).map(|number| Written::Number(number.0)),
            WrittenColumn::Attributes(numbers) => numbers.get(row).map(Written::Attribute),
        }
    }
}

/// Who is asked about: a role, or [`PUBLIC`], or a number that no role has, which may do what everybody may.
type Asked = Option<Arc<Role>>;

fn of_statement() -> Result<Arc<Names>> {
    names::current().ok_or_else(|| PgError::internal("a question of privileges outside of a statement"))
}

/// The role of an argument, or the one who asks.
fn asked(names: &Names, call: &Call, written: Option<Written<'_>>) -> Result<Asked> {
    match written {
        None => Ok(names.snapshot().role(&call.session().user).cloned()),
        Some(Written::Name(PUBLIC)) => Ok(None),
        Some(Written::Name(name)) => role_named(names, name).map(Some),
        Some(Written::Number(number)) => Ok(names.snapshot().role_by_oid(catalog::Oid(number)).cloned()),
        Some(Written::Attribute(_)) => Err(PgError::internal("a column is no role")),
    }
}

fn role_named(names: &Names, name: &str) -> Result<Arc<Role>> {
    let missing = || PgError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"));
    names.snapshot().role(name).cloned().ok_or_else(missing)
}

/// Answers for each row: of its first argument when there are more than `arguments`, then of the others. The answer is NULL
/// when one of them is.
fn answer<'a>(
    call: &'a Call,
    arguments: usize,
    mut of_row: impl FnMut(Option<Written<'a>>, &[Written<'a>]) -> Result<Option<bool>>,
) -> Result<ArrayRef> {
    let columns = (0..call.width()).map(|argument| WrittenColumn::new(call, argument)).collect::<Result<Vec<_>>>()?;
    let mut rows = 0..call.rows();
    call.map0(|| {
        let row = rows.next().unwrap_or_default();
        let Some(written) = columns.iter().map(|column| column.get(row)).collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let (role, rest) = written.split_at(written.len() - arguments);
        of_row(role.first().copied(), rest)
    })
}

fn has_privilege(call: &Call, kind: Kind) -> Result<ArrayRef> {
    let names = of_statement()?;
    answer(call, 2, |role, rest| {
        let [object, Written::Name(privileges)] = *rest else { return Ok(None) };
        let role = asked(&names, call, role)?;
        let (object, wanted) = match object {
            // The order decides which of several errors is met.
            Written::Name(name) if kind == Kind::Sequence => {
                let wanted = wanted(kind, privileges)?;
                (Some(Object::named(&names, kind, name)?), wanted)
            }
            Written::Name(name) => {
                let object = Object::named(&names, kind, name)?;
                (Some(object), wanted(kind, privileges)?)
            }
            Written::Number(number) => {
                let wanted = wanted(kind, privileges)?;
                (Object::numbered(&names, kind, number)?, wanted)
            }
            Written::Attribute(_) => return Ok(None),
        };
        Ok(object.map(|object| wanted.iter().any(|privilege| is_allowed(role.as_deref(), *privilege, object))))
    })
}

fn has_column_privilege(call: &Call) -> Result<ArrayRef> {
    let names = of_statement()?;
    answer(call, 3, |role, rest| {
        let [table, column, Written::Name(privileges)] = *rest else { return Ok(None) };
        let role = asked(&names, call, role)?;
        let table = match table {
            Written::Name(name) => Some(Object::named(&names, Kind::Column, name)?),
            Written::Number(number) => Object::numbered(&names, Kind::Column, number)?,
            Written::Attribute(_) => None,
        };
        let exists = match (table, column) {
            (Some(table), Written::Name(name)) => table.must_have_column(&names, name).map(|()| true)?,
            (Some(table), Written::Attribute(number)) => table.has_attribute(&names, number),
            _ => false,
        };
        let wanted = wanted(Kind::Column, privileges)?;
        let Some(table) = table.filter(|_| exists) else { return Ok(None) };
        Ok(Some(wanted.iter().any(|privilege| is_allowed(role.as_deref(), *privilege, table))))
    })
}

fn has_parameter_privilege(call: &Call) -> Result<ArrayRef> {
    let names = of_statement()?;
    answer(call, 2, |role, rest| {
        let [Written::Name(_), Written::Name(privileges)] = *rest else { return Ok(None) };
        let wanted = wanted(Kind::Parameter, privileges)?;
        let role = asked(&names, call, role)?;
        Ok(Some(wanted.iter().any(|privilege| is_allowed(role.as_deref(), *privilege, Object::parameter()))))
    })
}
