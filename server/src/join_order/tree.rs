//! An order of joins, and the plan that it means.

use std::sync::Arc;

use datafusion::common::{JoinConstraint, JoinType, NullEquality, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Filter, Join, LogicalPlan, Projection};

use super::cardinality::Cardinalities;
use super::region::{Condition, ConditionKind, Dependent, Region};
use super::relations::RelationSet;

/// In which order relations are joined.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// The relation at a place.
    Relation(usize),
    /// What two trees give.
    Join { left: Box<Tree>, right: Box<Tree>, relations: RelationSet },
}

impl Tree {
    pub fn join(left: Tree, right: Tree) -> Tree {
        let relations = left.relations() | right.relations();
        Tree::Join { left: Box::new(left), right: Box::new(right), relations }
    }

    /// The same order of relations that have other places now.
    pub fn moved(self, places: &[usize]) -> Tree {
        match self {
            Tree::Relation(place) => Tree::Relation(places[place]),
            Tree::Join { left, right, .. } => Tree::join(left.moved(places), right.moved(places)),
        }
    }

    /// What it joins.
    pub fn relations(&self) -> RelationSet {
        match self {
            Tree::Relation(place) => RelationSet::one(*place),
            Tree::Join { relations, .. } => *relations,
        }
    }
}

/// The plan that joins a region in this order, and answers its columns.
///
/// # Errors
/// Columns of the same name meet.
pub(super) fn plan(tree: &Tree, region: &Region, cardinalities: &Cardinalities) -> Result<LogicalPlan> {
    let joined = Planner { region, cardinalities }.plan(tree)?;
    if joined.schema() == &region.schema {
        return Ok(joined);
    }
    let columns = region.schema.columns().into_iter().map(Expr::Column).collect();
    Projection::try_new_with_schema(columns, Arc::new(joined), region.schema.clone()).map(LogicalPlan::Projection)
}

struct Planner<'a> {
    region: &'a Region,
    cardinalities: &'a Cardinalities<'a>,
}

impl Planner<'_> {
    fn plan(&self, tree: &Tree) -> Result<LogicalPlan> {
        match tree {
            Tree::Relation(place) => {
                let relation = &self.region.relations[*place];
                let own = match relation.dependent {
                    // Its conditions are of what the join makes of its columns.
                    Some(_) => Vec::new(),
                    None => {
                        let nothing = RelationSet::default();
                        self.new_conditions(RelationSet::one(*place), nothing, nothing).map(expression).collect()
                    }
                };
                filtered(relation.plan.clone(), own)
            }
            Tree::Join { left, right, .. } => match (self.dependent(right), self.dependent(left)) {
                (Some(dependent), _) => self.dependent_join(left, right, dependent),
                (None, Some(dependent)) => self.dependent_join(right, left, dependent),
                (None, None) => self.inner_join(left, right),
            },
        }
    }

    /// What joins a tree to others, if that is not an inner join.
    fn dependent(&self, tree: &Tree) -> Option<&Dependent> {
        match tree {
            Tree::Relation(place) => self.region.relations[*place].dependent.as_ref(),
            Tree::Join { .. } => None,
        }
    }

    fn dependent_join(&self, left: &Tree, right: &Tree, dependent: &Dependent) -> Result<LogicalPlan> {
        let Join { on, filter, join_type, join_constraint, null_equality, null_aware, .. } = dependent.join.clone();
        let (left_plan, right_plan) = (Arc::new(self.plan(left)?), Arc::new(self.plan(right)?));
        let join =
            Join::try_new(left_plan, right_plan, on, filter, join_type, join_constraint, null_equality, null_aware)?;
        let (of_left, of_right) = (left.relations(), right.relations());
        let own = self.new_conditions(of_left | of_right, of_left, of_right).map(expression).collect();
        filtered(LogicalPlan::Join(join), own)
    }

    /// The smaller side is on the left, where the engine builds its table.
    fn inner_join(&self, one: &Tree, other: &Tree) -> Result<LogicalPlan> {
        let rows = |tree: &Tree| self.cardinalities.rows(tree.relations());
        let (left, right) = if rows(one) <= rows(other) { (one, other) } else { (other, one) };
        let (of_left, of_right) = (left.relations(), right.relations());
        let mut on = Vec::new();
        for class in &self.region.classes {
            let of = |side: RelationSet| {
                let mut members = class.members.iter();
                members.find(|(place, _)| side.contains(RelationSet::one(**place))).map(|(_, column)| column.clone())
            };
            if let (Some(left), Some(right)) = (of(of_left), of(of_right)) {
                on.push((Expr::Column(left), Expr::Column(right)));
            }
        }
        let mut others = Vec::new();
        for condition in self.new_conditions(of_left | of_right, of_left, of_right) {
            match keys(condition, of_left, of_right) {
                Some(pair) => on.push(pair),
                None => others.push(expression(condition)),
            }
        }
        let filter = conjunction(others);
        let (left, right) = (Arc::new(self.plan(left)?), Arc::new(self.plan(right)?));
        let (inner, equality) = (JoinType::Inner, NullEquality::NullEqualsNothing);
        Join::try_new(left, right, on, filter, inner, JoinConstraint::On, equality, false).map(LogicalPlan::Join)
    }

    /// The conditions that can be evaluated with these relations, and not with one side alone.
    fn new_conditions(
        &self,
        relations: RelationSet,
        left: RelationSet,
        right: RelationSet,
    ) -> impl Iterator<Item = &Condition> {
        let is_new = move |condition: &&Condition| {
            let asked = condition.relations;
            relations.contains(asked) && !self.is_done(asked, left) && !self.is_done(asked, right)
        };
        self.region.conditions.iter().filter(is_new)
    }

    /// Whether what reads these relations has been evaluated where a side was made. The columns of a dependent relation come
    /// about by its join alone.
    fn is_done(&self, asked: RelationSet, side: RelationSet) -> bool {
        let is_bare = side.single().is_some_and(|place| self.region.relations[place].dependent.is_some());
        side.contains(asked) && !is_bare
    }
}

/// The condition as a pair of keys of both sides.
fn keys(condition: &Condition, of_left: RelationSet, of_right: RelationSet) -> Option<(Expr, Expr)> {
    let ConditionKind::Equal { left, right } = &condition.kind else { return None };
    if of_left.contains(left.1) && of_right.contains(right.1) {
        return Some((left.0.clone(), right.0.clone()));
    }
    let is_turned = of_left.contains(right.1) && of_right.contains(left.1);
    is_turned.then(|| (right.0.clone(), left.0.clone()))
}

fn expression(condition: &Condition) -> Expr {
    match &condition.kind {
        ConditionKind::Equal { left, right } => left.0.clone().eq(right.0.clone()),
        ConditionKind::Other(expr) => expr.clone(),
    }
}

fn filtered(plan: LogicalPlan, conditions: Vec<Expr>) -> Result<LogicalPlan> {
    match conjunction(conditions) {
        Some(condition) => Filter::try_new(condition, Arc::new(plan)).map(LogicalPlan::Filter),
        None => Ok(plan),
    }
}
