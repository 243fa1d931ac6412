//! The statements that writers run, and what they make of the model.

use std::ops::Range;

use crate::crash::model::{COLUMNS, Rows, SHARED, State, WIDE_FROM, pad, pad_expression};
use crate::generate::random::Random;

/// Tables that a writer may have for itself.
const OWN_TABLES: usize = 3;
/// Rows of a wide insert: more than four megabytes, which is more than a commit takes.
const WIDE_ROWS: usize = 8_000;
/// Rows of a writer from which on it rather deletes.
const ROWS_MAX: usize = 4_000;

/// A change of one table.
#[derive(Clone, Debug)]
pub struct Change {
    /// The table.
    pub table: String,
    /// What is done with it.
    pub action: Action,
}

/// What a change does with its table.
#[derive(Clone, Debug)]
pub enum Action {
    /// `INSERT … VALUES` of these ids with this value.
    Insert(Range<i64>, i64),
    /// `INSERT … SELECT`.
    InsertSelect(Range<i64>, i64),
    /// `COPY … FROM STDIN`.
    Copy(Range<i64>, i64),
    /// `UPDATE` of some ids, adding to their values.
    Update(Chosen, i64),
    /// `DELETE` of some ids.
    Delete(Chosen),
    /// `TRUNCATE` of a table that nobody else writes into.
    Truncate,
    /// `CREATE TABLE`.
    Create,
    /// `DROP TABLE`.
    Drop,
    /// An insert of rows of which the last one cannot be.
    Impossible(Range<i64>),
}

/// The ids that leave a remainder.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    modulus: i64,
    remainder: i64,
}

impl Chosen {
    fn has(self, id: i64) -> bool {
        id % self.modulus == self.remainder
    }

    fn filter(self, owner: usize) -> String {
        format!("owner = {owner} AND id % {} = {}", self.modulus, self.remainder)
    }
}

/// What is sent for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The statement.
    pub sql: String,
    /// The rows that follow a COPY.
    pub data: Option<String>,
}

impl Change {
    /// A change that fits to what is there.
    pub fn random(random: &mut Random, state: &State, owner: usize, next_id: &mut i64) -> Change {
        let names: Vec<&String> = state.tables.keys().collect();
        let table = (*random.pick(&names)).clone();
        let mut ids = |count: usize| {
            *next_id += count as i64;
            *next_id - count as i64..*next_id
        };
        let v = random.below(1000) as i64;
        let many = state.len() > ROWS_MAX;
        let modulus = if many { 2 } else { 2 + random.below(9) as i64 };
        let chosen = Chosen { modulus, remainder: random.below(modulus as usize) as i64 };
        let action = match random.below(100) {
            0..20 if !many => Action::Insert(ids(1), v),
            20..35 if !many => Action::Insert(ids(2 + random.below(40)), v),
            35..45 if !many => Action::InsertSelect(ids(1 + random.below(300)), v),
            45..46 if !many => {
                let ids = ids(WIDE_ROWS);
                Action::InsertSelect(WIDE_FROM + ids.start..WIDE_FROM + ids.end, v)
            }
            46..57 if !many => Action::Copy(ids(1 + random.below(200)), v),
            57..72 => Action::Update(chosen, 1 + v),
            72..76 if table != SHARED => Action::Truncate,
            76..84 => return own_table(random, state, owner),
            84..88 => Action::Impossible(ids(3)),
            _ => Action::Delete(chosen),
        };
        Change { table, action }
    }

    /// What is sent.
    pub fn request(&self, owner: usize) -> Request {
        let table = &self.table;
        let sql = match &self.action {
            Action::Insert(ids, v) => {
                let rows = ids.clone().map(|id| format!("({owner}, {id}, {v}, '{}')", pad(id, *v)));
                format!("INSERT INTO {table} VALUES {}", rows.collect::<Vec<_>>().join(", "))
            }
            Action::InsertSelect(ids, v) => format!(
                "INSERT INTO {table} SELECT {owner}, g, {v}, {} FROM generate_series({}, {}) AS g",
                pad_expression("g", &v.to_string()),
                ids.start,
                ids.end - 1
            ),
            Action::Copy(ids, v) => {
                let rows = ids.clone().map(|id| format!("{owner}\t{id}\t{v}\t{}\n", pad(id, *v)));
                return Request { sql: format!("COPY {table} FROM STDIN"), data: Some(rows.collect()) };
            }
            Action::Update(chosen, add) => format!(
                "UPDATE {table} SET v = v + {add}, pad = {} WHERE {}",
                pad_expression("id", &format!("v + {add}")),
                chosen.filter(owner)
            ),
            Action::Delete(chosen) => format!("DELETE FROM {table} WHERE {}", chosen.filter(owner)),
            Action::Truncate => format!("TRUNCATE {table}"),
            Action::Create => format!("CREATE TABLE {table} ({COLUMNS})"),
            Action::Drop => format!("DROP TABLE {table}"),
            Action::Impossible(ids) => {
                let rows = ids.clone().map(|id| format!("({owner}, {id}, 0, 'never')"));
                format!("INSERT INTO {table} VALUES {}, ({owner}, NULL, 0, NULL)", rows.collect::<Vec<_>>().join(", "))
            }
        };
        Request { sql, data: None }
    }

    /// Whether the server must refuse it.
    pub fn is_impossible(&self) -> bool {
        matches!(self.action, Action::Impossible(_))
    }

    /// What it makes of a state.
    pub fn apply(&self, state: &mut State) {
        let table = &self.table;
        match &self.action {
            Action::Insert(ids, v) | Action::InsertSelect(ids, v) | Action::Copy(ids, v) => {
                state.rows_mut(table).extend(ids.clone().map(|id| (id, *v)));
            }
            Action::Update(chosen, add) => {
                let rows = state.rows_mut(table).iter_mut();
                rows.filter(|(id, _)| chosen.has(**id)).for_each(|(_, v)| *v += add);
            }
            Action::Delete(chosen) => state.rows_mut(table).retain(|id, _| !chosen.has(*id)),
            Action::Truncate => state.rows_mut(table).clear(),
            Action::Create => drop(state.tables.insert(table.clone(), Rows::new())),
            Action::Drop => drop(state.tables.remove(table)),
            Action::Impossible(_) => {}
        }
    }
}

/// The names of the tables that a writer may have for itself.
pub fn own_tables(owner: usize) -> impl Iterator<Item = String> {
    (0..OWN_TABLES).map(move |number| format!("own_{owner}_{number}"))
}

/// Makes one of the writer's tables, or drops it when it is there.
fn own_table(random: &mut Random, state: &State, owner: usize) -> Change {
    let names: Vec<_> = own_tables(owner).collect();
    let table = random.pick(&names).clone();
    let action = if state.tables.contains_key(&table) { Action::Drop } else { Action::Create };
    Change { table, action }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_follows_the_statements() {
        let mut state = State::initial();
        let delete = Action::Delete(Chosen { modulus: 4, remainder: 1 });
        let update = Action::Update(Chosen { modulus: 2, remainder: 0 }, 3);
        for action in [Action::Insert(1..5, 7), update, delete.clone()] {
            Change { table: SHARED.to_owned(), action }.apply(&mut state);
        }
        assert_eq!(state.tables[SHARED], Rows::from([(2, 10), (3, 7), (4, 10)]));
        let sql = Change { table: SHARED.to_owned(), action: delete }.request(9).sql;
        assert_eq!(sql, "DELETE FROM shared WHERE owner = 9 AND id % 4 = 1");
    }
}
