//! The search for the order of joins that makes the least intermediate rows.
//!
//! Up to [`EXACT_MAX`] relations all orders are looked at that join what conditions connect, bushy ones too, by dynamic programming over
//! sets of relations (Selinger et al. 1979; Moerkotte and Neumann 2006). Beyond that, the two parts whose join is
//! smallest are joined, again and again (Fegaras 1998).

use super::cardinality::Cardinalities;
use super::region::Region;
use super::relations::RelationSet;
use super::tree::Tree;

/// Relations whose orders are all looked at.
const EXACT_MAX: usize = 10;
/// What a row costs on the side of which a table is built.
const BUILD: f64 = 2.0;
/// What a row costs that is looked up.
const PROBE: f64 = 1.0;
/// What a row costs that a join gives.
const OUTPUT: f64 = 1.0;
/// What a pair of rows costs that is compared.
const COMPARE: f64 = 0.2;

/// What an order costs, in rows.
pub(super) fn cost(tree: &Tree, region: &Region, cardinalities: &Cardinalities) -> f64 {
    match tree {
        Tree::Relation(_) => 0.0,
        Tree::Join { left, right, .. } => {
            let below = cost(left, region, cardinalities) + cost(right, region, cardinalities);
            below + join_cost(left.relations(), right.relations(), region, cardinalities)
        }
    }
}

/// The cheapest order. What nothing connects is joined only where there is no other way.
pub(super) fn best(region: &Region, cardinalities: &Cardinalities) -> Option<Tree> {
    let search = |crosses| {
        let search = Search { region, cardinalities, crosses };
        if region.relations.len() <= EXACT_MAX { search.exact() } else { search.greedy() }
    };
    search(false).or_else(|| search(true))
}

struct Search<'a> {
    region: &'a Region,
    cardinalities: &'a Cardinalities<'a>,
    /// Whether relations may be joined that nothing connects.
    crosses: bool,
}

/// How two sides are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joinable {
    ByKeys,
    ByComparing,
    Not,
}

fn join_cost(one: RelationSet, other: RelationSet, region: &Region, cardinalities: &Cardinalities) -> f64 {
    let (one_rows, other_rows) = (cardinalities.rows(one), cardinalities.rows(other));
    let (build, probe) = (one_rows.min(other_rows), one_rows.max(other_rows));
    let compared = match joinable(one, other, region) {
        Joinable::ByKeys => 0.0,
        _ => COMPARE * one_rows * other_rows,
    };
    BUILD * build + PROBE * probe + OUTPUT * cardinalities.rows(one | other) + compared
}

/// Whether two sides may be joined, and have something in common.
fn joinable(one: RelationSet, other: RelationSet, region: &Region) -> Joinable {
    let dependent = |side: RelationSet| side.single().and_then(|place| region.relations[place].dependent.as_ref());
    match (dependent(one), dependent(other)) {
        (Some(_), Some(_)) => Joinable::Not,
        (Some(dependent), None) | (None, Some(dependent)) => {
            let left = if region_side_is_dependent(one, region) { other } else { one };
            match (left.contains(dependent.needs), dependent.join.on.is_empty()) {
                (false, _) => Joinable::Not,
                (true, false) => Joinable::ByKeys,
                (true, true) => Joinable::ByComparing,
            }
        }
        (None, None) => inner_joinable(one, other, region),
    }
}

fn region_side_is_dependent(side: RelationSet, region: &Region) -> bool {
    side.single().is_some_and(|place| region.relations[place].dependent.is_some())
}

fn inner_joinable(one: RelationSet, other: RelationSet, region: &Region) -> Joinable {
    use super::region::ConditionKind::Equal;
    if region.classes.iter().any(|class| class.relations.meets(one) && class.relations.meets(other)) {
        return Joinable::ByKeys;
    }
    let both = one | other;
    let new = region.conditions.iter().filter(|condition| {
        let asked = condition.relations;
        both.contains(asked) && asked.meets(one) && asked.meets(other)
    });
    let mut found = Joinable::Not;
    for condition in new {
        match &condition.kind {
            Equal { left, right } if is_between(left.1, right.1, one, other) => return Joinable::ByKeys,
            _ => found = Joinable::ByComparing,
        }
    }
    found
}

/// Whether each of two is on a side of its own.
fn is_between(left: RelationSet, right: RelationSet, one: RelationSet, other: RelationSet) -> bool {
    one.contains(left) && other.contains(right) || one.contains(right) && other.contains(left)
}

impl Search<'_> {
    fn exact(&self) -> Option<Tree> {
        let all = self.region.all();
        // The cheapest order of each set, and its cost.
        let mut best: Vec<Option<(f64, RelationSet)>> = vec![None; 1 << self.region.relations.len()];
        for set in 1..best.len() {
            let set = RelationSet(set as u64);
            if set.single().is_some() {
                best[set.0 as usize] = Some((0.0, RelationSet::default()));
                continue;
            }
            let mut cheapest: Option<(f64, RelationSet)> = None;
            for (one, other) in set.halves() {
                let (Some((one_cost, _)), Some((other_cost, _))) = (best[one.0 as usize], best[other.0 as usize])
                else {
                    continue;
                };
                let below = one_cost + other_cost;
                if cheapest.is_some_and(|(cost, _)| below >= cost) || self.joinable(one, other) == Joinable::Not {
                    continue;
                }
                let cost = below + join_cost(one, other, self.region, self.cardinalities);
                if cheapest.is_none_or(|(cheapest, _)| cost < cheapest) {
                    cheapest = Some((cost, one));
                }
            }
            best[set.0 as usize] = cheapest;
        }
        tree_of(all, &best)
    }

    fn joinable(&self, one: RelationSet, other: RelationSet) -> Joinable {
        let is_bare = |side: RelationSet| region_side_is_dependent(side, self.region);
        match joinable(one, other, self.region) {
            Joinable::Not if self.crosses && !is_bare(one) && !is_bare(other) => Joinable::ByComparing,
            joinable => joinable,
        }
    }

    fn greedy(&self) -> Option<Tree> {
        let mut parts: Vec<Tree> = (0..self.region.relations.len()).map(Tree::Relation).collect();
        while parts.len() > 1 {
            let (one, other) = self.smallest(&parts)?;
            let right = parts.swap_remove(other);
            let left = std::mem::replace(&mut parts[one], Tree::Relation(0));
            parts[one] = Tree::join(left, right);
        }
        parts.pop()
    }

    /// The places of the two parts whose join is smallest, the lesser first.
    fn smallest(&self, parts: &[Tree]) -> Option<(usize, usize)> {
        let pairs = (0..parts.len()).flat_map(|one| (one + 1..parts.len()).map(move |other| (one, other)));
        let joins = pairs.filter_map(|(one, other)| {
            let (left, right) = (parts[one].relations(), parts[other].relations());
            let rows = match self.joinable(left, right) {
                Joinable::Not => return None,
                Joinable::ByKeys => self.cardinalities.rows(left | right),
                // Only when nothing else is left.
                Joinable::ByComparing => f64::MAX,
            };
            // Of joins that give the same, the one with fewer rows to join.
            Some((rows, self.cardinalities.rows(left) + self.cardinalities.rows(right), one, other))
        });
        let least = joins.min_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        least.map(|(_, _, one, other)| (one, other))
    }
}

fn tree_of(set: RelationSet, best: &[Option<(f64, RelationSet)>]) -> Option<Tree> {
    match set.single() {
        Some(place) => Some(Tree::Relation(place)),
        None => {
            let (_, one) = best[set.0 as usize]?;
            Some(Tree::join(tree_of(one, best)?, tree_of(set - one, best)?))
        }
    }
}
