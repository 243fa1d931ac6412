//! How many rows joins of some relations of a region give, in whichever order they are joined.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use datafusion::common::{Column, JoinType};

use super::region::{Class, Condition, ConditionKind, Dependent, Region};
use super::relations::RelationSet;
use crate::cost::{Estimate, KeyValues, condition_of, equal_rows, part};

/// The least part of the rows that a semi or anti join leaves.
const SEMI_PART_MIN: f64 = 0.01;
/// The part of the rows that a semi join leaves of which nothing is known.
const SEMI_UNKNOWN: f64 = 0.5;

/// A key's values on both sides, where they are known.
type KeyPair = (Option<KeyValues>, Option<KeyValues>);

/// How many rows joins give.
pub(super) struct Cardinalities<'a> {
    region: &'a Region,
    /// Of each relation, its own conditions applied.
    relations: Vec<Estimate<Column>>,
    known: RefCell<HashMap<RelationSet, f64>>,
}

impl<'a> Cardinalities<'a> {
    pub fn of(region: &'a Region) -> Self {
        let of_relation = |(place, plan)| {
            let own = region.conditions.iter().filter(|condition| condition.relations == RelationSet::one(place));
            let all = Estimate::of(plan);
            let left = own.map(|condition| match &condition.kind {
                ConditionKind::Other(expr) => part(&all, &condition_of(expr)),
                ConditionKind::Equal { .. } => 1.0,
            });
            let left = left.product();
            all.scaled(left)
        };
        let plans = region.relations.iter().map(|relation| &relation.plan).enumerate();
        let relations = plans.map(of_relation).collect();
        Cardinalities { region, relations, known: RefCell::default() }
    }

    /// The rows of the largest relation.
    pub fn largest(&self) -> f64 {
        self.relations.iter().map(|relation| relation.rows).fold(0.0, f64::max)
    }

    /// The rows of a join.
    pub fn rows(&self, relations: RelationSet) -> f64 {
        if let Some(place) = relations.single() {
            return self.relations[place].rows;
        }
        if let Some(rows) = self.known.borrow().get(&relations) {
            return *rows;
        }
        let rows = self.counted(relations).max(1.0);
        self.known.borrow_mut().insert(relations, rows);
        rows
    }

    /// Relations are added one by one, in the order of their places: what comes out depends on the set alone.
    fn counted(&self, relations: RelationSet) -> f64 {
        let dependent = |place: &usize| self.region.relations[*place].dependent.is_some();
        let (dependent, inner): (Vec<_>, Vec<_>) = relations.places().partition(dependent);
        let mut joined = RelationSet::default();
        let mut rows = 1.0;
        for place in inner {
            rows = self.with_inner(rows, joined, place);
            joined = joined | RelationSet::one(place);
        }
        for place in dependent {
            if let Some(dependent) = &self.region.relations[place].dependent {
                rows = self.with_dependent(rows, place, dependent);
                joined = joined | RelationSet::one(place);
            }
        }
        let conditions = self.region.conditions.iter().filter(|condition| relations.contains(condition.relations));
        let others = conditions.filter(|condition| condition.relations.len() > 1);
        let mut parts: Vec<_> = others.map(|condition| self.part_of(condition)).collect();
        // Whatever the order in which they are written.
        parts.sort_by(f64::total_cmp);
        rows * parts.into_iter().product::<f64>()
    }

    fn with_inner(&self, rows: f64, joined: RelationSet, place: usize) -> f64 {
        let own = &self.relations[place];
        if joined.is_empty() {
            return own.rows;
        }
        // Keys with the same relation are one combination of keys.
        let mut keys: BTreeMap<usize, Vec<KeyPair>> = BTreeMap::new();
        for class in &self.region.classes {
            let Some(column) = class.members.get(&place) else { continue };
            let Some((other, values)) = self.nearest(class, joined) else { continue };
            keys.entry(other).or_default().push((values, own.key(column)));
        }
        let parts = keys.into_iter().map(|(other, keys)| {
            let other_rows = self.relations[other].rows;
            equal_rows(other_rows, own.rows, keys.into_iter()) / (other_rows * own.rows)
        });
        rows * own.rows * parts.product::<f64>()
    }

    /// The relation among those that are joined whose values of a class are the fewest: the others have no more any longer.
    fn nearest(&self, class: &Class, joined: RelationSet) -> Option<(usize, Option<KeyValues>)> {
        let members = class.members.iter().filter(|(place, _)| joined.contains(RelationSet::one(**place)));
        let values = members.map(|(place, column)| (*place, self.relations[*place].key(column)));
        let count = |values: &Option<KeyValues>| values.map_or(f64::INFINITY, |values| values.now);
        values.min_by(|(_, one), (_, other)| count(one).total_cmp(&count(other)))
    }

    fn with_dependent(&self, rows: f64, place: usize, dependent: &Dependent) -> f64 {
        let own = &self.relations[place];
        let keys: Vec<_> = dependent
            .join
            .on
            .iter()
            .map(|(left, right)| {
                let mut of_left = dependent.needs.places().map(|place| &self.relations[place]);
                (of_left.find_map(|relation| relation.key_of(left)), own.key_of(right))
            })
            .collect();
        let found = match keys.as_slice() {
            [] => SEMI_UNKNOWN,
            keys => {
                let parts = keys.iter().map(|(left, right)| match (left, right) {
                    (Some(left), Some(right)) => (right.now / left.now).min(1.0),
                    _ => SEMI_UNKNOWN,
                });
                parts.fold(1.0, f64::min)
            }
        };
        let found = if dependent.join.filter.is_some() { found * SEMI_UNKNOWN } else { found };
        match dependent.join.join_type {
            JoinType::LeftSemi => rows * found.max(SEMI_PART_MIN),
            JoinType::LeftAnti => rows * (1.0 - found).max(SEMI_PART_MIN),
            JoinType::LeftMark => rows,
            _ => equal_rows(rows, own.rows, keys.into_iter()).max(rows),
        }
    }

    fn part_of(&self, condition: &Condition) -> f64 {
        let estimate = |relations: RelationSet| {
            let columns = relations.places().flat_map(|place| self.relations[place].columns.clone()).collect();
            Estimate { rows: self.largest(), columns }
        };
        match &condition.kind {
            ConditionKind::Equal { left, right } => {
                let distinct = [left, right].map(|(expr, relations)| {
                    let rows: f64 = relations.places().map(|place| self.relations[place].rows).product();
                    estimate(*relations).distinct_of(expr).unwrap_or(rows)
                });
                1.0 / distinct[0].max(distinct[1]).max(1.0)
            }
            ConditionKind::Other(expr) => part(&estimate(condition.relations), &condition_of(expr)),
        }
    }
}
