//! What sequences are told (PostgreSQL's `init_params`).

use catalog::{ObjectName, Oid, Sequence, SequenceState, SqlType};
use pg::PgError;

use crate::error::Result;
use crate::parse::definition::SequenceOption;
use crate::plan::types::column_type;

/// A sequence that is to be made.
///
/// # Errors
/// 22023 for options that do not fit each other.
pub fn new_sequence(oid: Oid, name: ObjectName, sql_type: SqlType, options: &[SequenceOption]) -> Result<Sequence> {
    let mut sequence = Sequence {
        oid,
        name,
        sql_type,
        start: 0,
        increment: 1,
        min: 0,
        max: 0,
        cache: 1,
        cycle: false,
        owner: None,
        identity: false,
    };
    apply(&mut sequence, None, options)?;
    Ok(sequence)
}

/// Changes a sequence, and how far it is, by what it is told. `state` is none for one that is about to be made. Answers how
/// far it is if it begins anew.
///
/// # Errors
/// As for [`new_sequence`].
pub fn apply(
    sequence: &mut Sequence,
    state: Option<SequenceState>,
    options: &[SequenceOption],
) -> Result<Option<SequenceState>> {
    let new = state.is_none();
    let before = limits(&sequence.sql_type);
    let mut reset = (false, false);
    let mut given = Given::default();
    for option in options {
        match option {
            SequenceOption::As(data_type) => {
                let sql_type = column_type(data_type)?;
                if !matches!(sql_type, SqlType::SmallInt | SqlType::Integer | SqlType::BigInt) {
                    return Err(invalid("sequence type must be smallint, integer, or bigint".into()));
                }
                // A limit that was the type's is that of the new one.
                if !new && sql_type != sequence.sql_type {
                    reset = (sequence.min == before.0, sequence.max == before.1);
                }
                sequence.sql_type = sql_type;
            }
            SequenceOption::Increment(0) => return Err(invalid("INCREMENT must not be zero".into())),
            SequenceOption::Increment(increment) => sequence.increment = *increment,
            SequenceOption::Cycle(cycle) => sequence.cycle = *cycle,
            SequenceOption::MinValue(value) => given.min = Some(*value),
            SequenceOption::MaxValue(value) => given.max = Some(*value),
            SequenceOption::Start(value) => given.start = Some(*value),
            SequenceOption::Restart(value) => given.restart = Some(*value),
            SequenceOption::Cache(value) => {
                if *value <= 0 {
                    return Err(invalid(format!("CACHE ({value}) must be greater than zero")));
                }
                sequence.cache = *value;
            }
            SequenceOption::OwnedBy(_) | SequenceOption::Name(..) => {}
        }
    }
    set_limits(sequence, &given, new, reset)?;
    set_start(sequence, &given, new)?;
    let restarted = given.restart.map(|value| value.unwrap_or(sequence.start));
    let last_value = restarted.or(state.map(|state| state.last_value)).unwrap_or(sequence.start);
    check_value(sequence, "RESTART", last_value)?;
    Ok(restarted.map(|last_value| SequenceState { last_value, is_called: false }))
}

/// Options that depend on others, whichever came first.
#[derive(Default)]
struct Given {
    min: Option<Option<i64>>,
    max: Option<Option<i64>>,
    start: Option<i64>,
    restart: Option<Option<i64>>,
}

/// The smallest and the largest value of a type.
fn limits(sql_type: &SqlType) -> (i64, i64) {
    match sql_type {
        SqlType::SmallInt => (i16::MIN.into(), i16::MAX.into()),
        SqlType::Integer => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

fn set_limits(sequence: &mut Sequence, given: &Given, new: bool, reset: (bool, bool)) -> Result<()> {
    let (smallest, largest) = limits(&sequence.sql_type);
    let ascending = sequence.increment > 0;
    match given.max {
        Some(Some(max)) => sequence.max = max,
        None if !new && !reset.1 => {}
        _ => sequence.max = if ascending || reset.1 { largest } else { -1 },
    }
    let outside = |value: i64| value < smallest || value > largest;
    let name = sequence.sql_type.base_name();
    if outside(sequence.max) {
        return Err(invalid(format!("MAXVALUE ({}) is out of range for sequence data type {name}", sequence.max)));
    }
    match given.min {
        Some(Some(min)) => sequence.min = min,
        None if !new && !reset.0 => {}
        _ => sequence.min = if !ascending || reset.0 { smallest } else { 1 },
    }
    if outside(sequence.min) {
        return Err(invalid(format!("MINVALUE ({}) is out of range for sequence data type {name}", sequence.min)));
    }
    if sequence.min >= sequence.max {
        let message = format!("MINVALUE ({}) must be less than MAXVALUE ({})", sequence.min, sequence.max);
        return Err(invalid(message));
    }
    Ok(())
}

fn set_start(sequence: &mut Sequence, given: &Given, new: bool) -> Result<()> {
    match given.start {
        Some(start) => sequence.start = start,
        None if new => sequence.start = if sequence.increment > 0 { sequence.min } else { sequence.max },
        None => {}
    }
    check_value(sequence, "START", sequence.start)
}

fn check_value(sequence: &Sequence, what: &str, value: i64) -> Result<()> {
    if value < sequence.min {
        return Err(invalid(format!("{what} value ({value}) cannot be less than MINVALUE ({})", sequence.min)));
    }
    if value > sequence.max {
        return Err(invalid(format!("{what} value ({value}) cannot be greater than MAXVALUE ({})", sequence.max)));
    }
    Ok(())
}

fn invalid(message: String) -> crate::error::Error {
    PgError::invalid_parameter(message).into()
}
