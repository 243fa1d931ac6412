//! Values that were taken ahead of a sequence.

use std::sync::Arc;

use catalog::{Sequence, SequenceState};
use pg::PgError;
use pg::error::Result;
use pg::sqlstate::SqlState;

/// Values that are taken at once when one is asked for, as in PostgreSQL (`SEQ_LOG_VALS`).
const AHEAD_MIN: usize = 32;
/// What that grows to, doubled by each block: so few values are lost when the server ends, and so few commits are needed.
const AHEAD_MAX: usize = 1024;

/// Values that were taken ahead of a sequence.
#[derive(Debug)]
pub struct Block {
    sequence: Arc<Sequence>,
    /// What is stored.
    pub stored: SequenceState,
    /// What was handed out last.
    pub state: SequenceState,
    /// How many values there are between the two.
    left: usize,
    /// How many are taken next.
    ahead: usize,
}

impl Block {
    /// Of a sequence that is so far; no value is taken.
    pub fn new(sequence: Arc<Sequence>, state: SequenceState) -> Self {
        Block { sequence, stored: state, state, left: 0, ahead: AHEAD_MIN }
    }

    /// Its sequence.
    pub fn sequence(&self) -> &Arc<Sequence> {
        &self.sequence
    }

    /// The definition may have changed: then what was taken by the old one is not handed out.
    pub fn follow(&mut self, sequence: &Arc<Sequence>) {
        if !Arc::ptr_eq(&self.sequence, sequence) && self.sequence != *sequence {
            self.left = 0;
        }
        self.sequence = sequence.clone();
    }

    /// Whether its sequence is one that only a session has.
    pub fn is_temporary(&self) -> bool {
        self.sequence.name.is_temporary()
    }

    /// Hands out what is left, until there are `count` values.
    pub fn hand_out(&mut self, count: usize, values: &mut Vec<i64>) {
        while self.left > 0 && values.len() < count {
            let Some(value) = next(&self.sequence, self.state) else {
                self.left = 0;
                return;
            };
            self.state = SequenceState { last_value: value, is_called: true };
            self.left -= 1;
            values.push(value);
        }
    }

    /// So many values, if there are as many.
    pub fn at_hand(&mut self, count: usize) -> Option<Vec<i64>> {
        let mut values = Vec::with_capacity(count);
        if self.left >= count {
            self.hand_out(count, &mut values);
        }
        (values.len() == count).then_some(values)
    }

    /// How far the sequence is once so many more values are taken, or more, and how many they are.
    ///
    /// # Errors
    /// 2200H when there is none.
    pub fn after(&self, count: usize) -> Result<(SequenceState, usize)> {
        let cache = usize::try_from(self.sequence.cache).unwrap_or(AHEAD_MAX).min(AHEAD_MAX);
        let wanted = count.max(self.ahead).max(cache);
        let mut state = self.state;
        let mut taken = 0;
        while taken < wanted
            && let Some(value) = next(&self.sequence, state)
        {
            state = SequenceState { last_value: value, is_called: true };
            taken += 1;
        }
        match taken {
            0 => Err(self.exhausted()),
            taken => Ok((state, taken)),
        }
    }

    /// Values have been taken up to this one.
    pub fn taken(&mut self, stored: SequenceState, count: usize) {
        (self.stored, self.left) = (stored, count);
        self.ahead = (self.ahead * 2).min(AHEAD_MAX);
    }

    /// Values that nobody else knows of: they need not be stored.
    pub fn next_values(&mut self, count: usize) -> Result<Vec<i64>> {
        let mut values = Vec::with_capacity(count);
        self.left = count;
        self.hand_out(count, &mut values);
        if values.len() < count { Err(self.exhausted()) } else { Ok(values) }
    }

    fn exhausted(&self) -> PgError {
        let Sequence { increment, min, max, name, .. } = self.sequence.as_ref();
        let (which, limit) = if *increment > 0 { ("maximum", max) } else { ("minimum", min) };
        let message = format!("nextval: reached {which} value of sequence \"{}\" ({limit})", name.name);
        PgError::new(SqlState::SEQUENCE_GENERATOR_LIMIT_EXCEEDED, message)
    }
}

/// The value that follows; `None` at the end.
fn next(sequence: &Sequence, state: SequenceState) -> Option<i64> {
    let Sequence { increment, min, max, cycle, .. } = *sequence;
    if !state.is_called {
        return Some(state.last_value);
    }
    let (again, within): (i64, fn(i64, i64, i64) -> bool) = match increment > 0 {
        true => (min, |value, _, max| value <= max),
        false => (max, |value, min, _| value >= min),
    };
    let next = state.last_value.checked_add(increment).filter(|value| within(*value, min, max));
    next.or_else(|| cycle.then_some(again))
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::{ObjectName, Oid, SqlType};

    fn check(increment: i64, (min, max): (i64, i64), cycle: bool, expected: &[Option<i64>]) {
        let start = if increment > 0 { min } else { max };
        let name = ObjectName::new("public", "s");
        let sql_type = SqlType::BigInt;
        let (cache, owner, identity) = (1, None, false);
        let sequence =
            Sequence { oid: Oid(1), name, sql_type, start, increment, min, max, cache, cycle, owner, identity };
        let mut state = sequence.initial_state();
        for expected in expected {
            let value = next(&sequence, state);
            assert_eq!(value, *expected);
            state = value.map_or(state, |last_value| SequenceState { last_value, is_called: true });
        }
    }

    #[test]
    fn values_follow_each_other_up_to_the_limit() {
        check(2, (1, 4), false, &[Some(1), Some(3), None, None]);
        check(2, (1, 4), true, &[Some(1), Some(3), Some(1)]);
        check(-2, (-4, -1), false, &[Some(-1), Some(-3), None]);
        check(-2, (-4, -1), true, &[Some(-1), Some(-3), Some(-1)]);
        check(i64::MAX, (1, i64::MAX), false, &[Some(1), None]);
    }
}
