//! What a writer's tables hold, as far as it knows.

use std::collections::BTreeMap;

/// The table that all writers write into. The others have one writer each.
pub const SHARED: &str = "shared";

/// Columns of every table. The last one says the same as the others, to notice when they do not belong together.
pub const COLUMNS: &str = "owner bigint NOT NULL, id bigint NOT NULL, v bigint, pad text";

/// Rows with an id from here on are wide, so that some thousands of them are more than a commit takes.
pub const WIDE_FROM: i64 = 1_000_000_000;

/// How often a wide row says what a narrow one says once.
const WIDE_TIMES: usize = 40;

/// The rows of a table by their ids, with the value of each.
pub type Rows = BTreeMap<i64, i64>;

/// What the tables hold that a writer has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The tables that exist; in [`SHARED`], the writer's own rows.
    pub tables: BTreeMap<String, Rows>,
}

impl State {
    /// A writer who has written nothing.
    pub fn initial() -> State {
        State { tables: BTreeMap::from([(SHARED.to_owned(), Rows::new())]) }
    }

    /// The rows of a table, which exists.
    pub fn rows_mut(&mut self, table: &str) -> &mut Rows {
        self.tables.entry(table.to_owned()).or_default()
    }

    /// How many rows there are in all.
    pub fn len(&self) -> usize {
        self.tables.values().map(Rows::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In words, what differs in another state; nothing if it is the same.
    pub fn difference(&self, found: &State) -> Option<String> {
        if self == found {
            return None;
        }
        let names = self.tables.keys().chain(found.tables.keys());
        let mut names: Vec<&String> = names.collect();
        names.sort();
        names.dedup();
        let parts = names.into_iter().filter_map(|name| {
            let text = match (self.tables.get(name), found.tables.get(name)) {
                (Some(known), Some(found)) => rows_difference(known, found)?,
                (Some(known), None) => format!("the table with {} rows is gone", known.len()),
                (None, Some(found)) => format!("a table with {} rows should not be there", found.len()),
                (None, None) => return None,
            };
            Some(format!("{name}: {text}"))
        });
        Some(parts.collect::<Vec<_>>().join("; "))
    }
}

fn rows_difference(known: &Rows, found: &Rows) -> Option<String> {
    if known == found {
        return None;
    }
    let lost: Vec<_> = known.keys().filter(|id| !found.contains_key(id)).collect();
    let extra: Vec<_> = found.keys().filter(|id| !known.contains_key(id)).collect();
    let other: Vec<_> = known.iter().filter(|(id, v)| found.get(id).is_some_and(|it| it != *v)).collect();
    let first = |ids: &[&i64]| format!("{:?}", ids.iter().take(3).collect::<Vec<_>>());
    Some(format!(
        "of {} rows {} are lost {}, {} too many {}, {} have another value {:?}",
        known.len(),
        lost.len(),
        first(&lost),
        extra.len(),
        first(&extra),
        other.len(),
        other.iter().take(3).collect::<Vec<_>>()
    ))
}

/// What the last column says of a row.
pub fn pad(id: i64, v: i64) -> String {
    format!("{id}:{v} ").repeat(if id >= WIDE_FROM { WIDE_TIMES } else { 1 })
}

/// The same in SQL, from an expression for the value.
pub fn pad_expression(id: &str, v: &str) -> String {
    format!(
        "repeat(({id})::text || ':' || ({v})::text || ' ', CASE WHEN {id} >= {WIDE_FROM} THEN {WIDE_TIMES} ELSE 1 END)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(rows: &[(i64, i64)]) -> State {
        State { tables: BTreeMap::from([("t".to_owned(), rows.iter().copied().collect())]) }
    }

    #[test]
    fn what_differs_is_said() {
        let known = state(&[(1, 10), (2, 20), (3, 30)]);
        assert_eq!(known.difference(&known), None);
        let text = known.difference(&state(&[(2, 21), (3, 30), (4, 40)])).expect("it differs");
        assert_eq!(text, "t: of 3 rows 1 are lost [1], 1 too many [4], 1 have another value [(2, 20)]");
        assert_eq!(known.difference(&State::default()).expect("it differs"), "t: the table with 3 rows is gone");
    }
}
