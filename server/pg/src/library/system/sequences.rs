//! `nextval`, `currval`, `lastval`, `setval` (PostgreSQL's `sequence.c`).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, UInt32Array, new_null_array};
use arrow::datatypes::UInt32Type;
use catalog::{Relation, Sequence};
use datafusion_common::ScalarValue;

use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Function, Oid, SetCall, SetFunction, SetRows, function};
use crate::names;
use crate::session::Sequences;
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("currval", &[REGCLASS], INT8, currval).volatile(),
    function("lastval", &[], INT8, lastval).volatile(),
    function("nextval", &[REGCLASS], INT8, nextval).volatile(),
    function("pg_sequence_last_value", &[REGCLASS], INT8, pg_sequence_last_value).volatile(),
    function("setval", &[REGCLASS, INT8], INT8, setval).volatile(),
    function("setval", &[REGCLASS, INT8, BOOL], INT8, setval_is_called).volatile(),
];

/// Those that return several columns.
pub static SETS: &[SetFunction] = &[SetFunction {
    name: "pg_sequence_parameters",
    arguments: &[OID],
    variadic: false,
    columns: |_| Ok(PARAMETERS.iter().map(|(name, ty)| ((*name).to_owned(), Type::of(*ty))).collect()),
    rows: pg_sequence_parameters,
}];

/// What `pg_sequence_parameters` answers.
const PARAMETERS: &[(&str, u32)] = &[
    ("start_value", INT8),
    ("minimum_value", INT8),
    ("maximum_value", INT8),
    ("increment", INT8),
    ("cycle_option", BOOL),
    ("cache_size", INT8),
    ("data_type", OID),
];

fn pg_sequence_parameters(call: SetCall) -> Result<SetRows> {
    let _names = call.session.enter();
    let number = call.arguments.first().map(ScalarValue::to_array).transpose()?;
    let number = number.as_ref().and_then(|number| number.as_primitive_opt::<UInt32Type>()).map(|it| it.iter().next());
    let Some(Some(Some(number))) = number else {
        let nulls = call.columns.iter().map(|ty| new_null_array(&ty.arrow, 1)).collect();
        return Ok(Box::new(std::iter::once(Ok(nulls))));
    };
    let sequence = sequence(Oid(number))?;
    let numbers = [sequence.start, sequence.min, sequence.max, sequence.increment, sequence.cache];
    let [start, min, max, increment, cache] =
        numbers.map(|number| -> ArrayRef { Arc::new(Int64Array::from(vec![number])) });
    let cycle: ArrayRef = Arc::new(BooleanArray::from(vec![sequence.cycle]));
    let ty: ArrayRef = Arc::new(UInt32Array::from(vec![Type::of_column(&sequence.sql_type).oid]));
    Ok(Box::new(std::iter::once(Ok(vec![start, min, max, increment, cycle, cache, ty]))))
}

/// NULL before the first value.
fn pg_sequence_last_value(call: &Call) -> Result<ArrayRef> {
    let sequences = sequences(call)?;
    call.map1(|oid: Oid| {
        let state = sequences.state(&sequence(oid)?)?;
        Ok::<_, PgError>(state.is_called.then_some(state.last_value))
    })
}

fn nextval(call: &Call) -> Result<ArrayRef> {
    let sequences = sequences(call)?;
    if !call.is_constant(0) {
        return call.map1(|oid: Oid| {
            let values = sequences.next_values(&sequence(oid)?, 1)?;
            values.first().copied().ok_or_else(|| PgError::internal("a sequence gave no value"))
        });
    }
    let values = match call.column::<Oid>(0)?.get(0) {
        Some(oid) => sequences.next_values(&sequence(oid)?, call.rows())?,
        None => return Ok(Arc::new(Int64Array::new_null(call.rows()))),
    };
    Ok(Arc::new(Int64Array::from(values)))
}

fn currval(call: &Call) -> Result<ArrayRef> {
    let sequences = sequences(call)?;
    call.map1(|oid: Oid| {
        let sequence = sequence(oid)?;
        sequences.current_value(sequence.oid).ok_or_else(|| {
            let message = format!("currval of sequence \"{}\" is not yet defined in this session", sequence.name.name);
            PgError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        })
    })
}

fn lastval(call: &Call) -> Result<ArrayRef> {
    let last = sequences(call)?.last_sequence().filter(|oid| sequence(Oid(oid.0)).is_ok());
    let value = last.and_then(|oid| sequences(call).ok()?.current_value(oid)).ok_or_else(|| {
        PgError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "lastval is not yet defined in this session")
    })?;
    call.map0(|| value)
}

fn setval(call: &Call) -> Result<ArrayRef> {
    let sequences = sequences(call)?;
    call.map2(|oid: Oid, value: i64| set(sequences, oid, value, true))
}

fn setval_is_called(call: &Call) -> Result<ArrayRef> {
    let sequences = sequences(call)?;
    call.map3(|oid: Oid, value: i64, is_called: bool| set(sequences, oid, value, is_called))
}

fn set(sequences: &dyn Sequences, oid: Oid, value: i64, is_called: bool) -> Result<i64> {
    let sequence = sequence(oid)?;
    let Sequence { min, max, .. } = *sequence;
    if value < min || value > max {
        let name = &sequence.name.name;
        let message = format!("setval: value {value} is out of bounds for sequence \"{name}\" ({min}..{max})");
        return Err(PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
    }
    sequences.set_value(&sequence, value, is_called)?;
    Ok(value)
}

fn sequences(call: &Call) -> Result<&dyn Sequences> {
    let sequences = call.session().sequences.as_deref();
    sequences.ok_or_else(|| PgError::internal("there are no sequences outside of a session"))
}

/// The sequence with this number, as the statement sees it.
fn sequence(oid: Oid) -> Result<Arc<Sequence>> {
    let names = names::current();
    match names.as_ref().and_then(|names| names.snapshot().relation_by_oid(catalog::Oid(oid.0))) {
        Some(Relation::Sequence(sequence)) => Ok(sequence.clone()),
        Some(other) => {
            let message = format!("\"{}\" is not a sequence", other.name().name);
            Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message))
        }
        None => {
            let message = format!("could not open relation with OID {}", oid.0);
            Err(PgError::new(SqlState::UNDEFINED_TABLE, message))
        }
    }
}
