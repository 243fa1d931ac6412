//! Joins whose order is free: what they join, and on which conditions.

use std::collections::{BTreeMap, HashMap};

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchemaRef, ExprSchema, JoinType, NullEquality};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Join, LogicalPlan, Operator};

use super::relations::{RELATIONS_MAX, RelationSet};
use super::tree::Tree;
use crate::lazy::may_fail;

/// Joins whose order is free.
pub(super) struct Region {
    pub relations: Vec<Relation>,
    /// Columns that are equal to each other.
    pub classes: Vec<Class>,
    pub conditions: Vec<Condition>,
    /// The order that is written.
    pub written: Tree,
    /// What the joins answer.
    pub schema: DFSchemaRef,
}

/// What is joined.
pub(super) struct Relation {
    pub plan: LogicalPlan,
    /// What makes it a relation that is joined to others, when it is not by inner joins.
    pub dependent: Option<Dependent>,
}

/// The right side of an outer, semi or anti join.
pub(super) struct Dependent {
    pub join: Join,
    /// What has to be on the left side.
    pub needs: RelationSet,
}

/// Columns of several relations that are equal to each other in all rows of the answer.
pub(super) struct Class {
    /// The first column of each relation.
    pub members: BTreeMap<usize, Column>,
    pub relations: RelationSet,
}

/// Another condition.
pub(super) struct Condition {
    pub kind: ConditionKind,
    /// What must have been joined.
    pub relations: RelationSet,
}

pub(super) enum ConditionKind {
    /// Both are equal; each is of other relations.
    Equal {
        left: (Expr, RelationSet),
        right: (Expr, RelationSet),
    },
    Other(Expr),
}

impl Region {
    /// The region of which a node is the top. None where its order is not free.
    pub fn of(plan: &LogicalPlan) -> Option<Region> {
        let is_top = match plan {
            LogicalPlan::Join(join) => is_free(join),
            LogicalPlan::Filter(filter) => matches!(filter.input.as_ref(), LogicalPlan::Join(join) if is_free(join)),
            _ => false,
        };
        if !is_top {
            return None;
        }
        let mut building = Building::default();
        let written = building.add(plan)?;
        Some(building.region(written, plan.schema().clone()))
    }

    /// All of its relations.
    pub fn all(&self) -> RelationSet {
        RelationSet::first(self.relations.len())
    }
}

/// Whether a join takes part in a region.
fn is_free(join: &Join) -> bool {
    use JoinType::{Inner, Left, LeftAnti, LeftMark, LeftSemi};
    let is_known = matches!(join.join_type, Inner | Left | LeftSemi | LeftAnti | LeftMark);
    is_known && (join.join_type != Inner || join.null_equality == NullEquality::NullEqualsNothing)
}

/// A region in the making.
#[derive(Default)]
struct Building {
    relations: Vec<Relation>,
    /// Which relation has a column.
    columns: HashMap<Column, usize>,
    /// Relations whose columns may be NULL because no row was found.
    outer: RelationSet,
    equal: Vec<(Column, Column)>,
    conditions: Vec<Condition>,
}

impl Building {
    /// Adds a plan. None where its conditions keep the order from being free.
    fn add(&mut self, plan: &LogicalPlan) -> Option<Tree> {
        match plan {
            LogicalPlan::Join(join) if is_free(join) && join.join_type == JoinType::Inner => self.add_inner(join),
            LogicalPlan::Join(join) if is_free(join) => self.add_dependent(join),
            LogicalPlan::Filter(filter) => match filter.input.as_ref() {
                LogicalPlan::Join(join) if is_free(join) => {
                    let below = self.add(&filter.input)?;
                    self.add_condition(&filter.predicate, below.relations())?;
                    Some(below)
                }
                _ => self.add_relation(plan, plan.schema().columns(), None),
            },
            LogicalPlan::Projection(projection)
                if projection.expr.iter().all(|expr| matches!(expr, Expr::Column(_))) =>
            {
                match projection.input.as_ref() {
                    LogicalPlan::Join(join) if is_free(join) => self.add(&projection.input),
                    _ => self.add_relation(plan, plan.schema().columns(), None),
                }
            }
            _ => self.add_relation(plan, plan.schema().columns(), None),
        }
    }

    fn add_inner(&mut self, join: &Join) -> Option<Tree> {
        let (left, right) = (self.add(&join.left)?, self.add(&join.right)?);
        let below = left.relations() | right.relations();
        for (one, other) in &join.on {
            self.add_key((one, left.relations()), (other, right.relations()))?;
        }
        if let Some(filter) = &join.filter {
            self.add_condition(filter, below)?;
        }
        Some(Tree::join(left, right))
    }

    fn add_dependent(&mut self, join: &Join) -> Option<Tree> {
        let left = self.add(&join.left)?;
        let mut needs = RelationSet::default();
        for (key, _) in &join.on {
            needs = needs | self.relations_of(key)?;
        }
        // Columns of the right side are not known yet.
        let filter = join.filter.iter().flat_map(|filter| filter.column_refs());
        let of_left = filter.filter_map(|column| self.columns.get(column)).map(|place| RelationSet::one(*place));
        needs = needs | of_left.collect();
        let is_movable = join.on.iter().all(|(left, right)| is_movable(left) && is_movable(right))
            && join.filter.as_ref().is_none_or(is_movable);
        if needs.is_empty() || !is_movable {
            needs = left.relations();
        }
        let of_left: Vec<_> = join.left.schema().columns();
        let mut answered = join.schema.columns();
        answered.retain(|column| !of_left.contains(column));
        let right = self.add_relation(&join.right, answered, Some(Dependent { join: join.clone(), needs }))?;
        if join.join_type == JoinType::Left {
            self.outer = self.outer | right.relations();
        }
        Some(Tree::join(left, right))
    }

    fn add_relation(&mut self, plan: &LogicalPlan, columns: Vec<Column>, dependent: Option<Dependent>) -> Option<Tree> {
        let place = self.relations.len();
        if place == RELATIONS_MAX {
            return None;
        }
        for column in columns {
            if self.columns.insert(column, place).is_some() {
                return None;
            }
        }
        self.relations.push(Relation { plan: plan.clone(), dependent });
        Some(Tree::Relation(place))
    }

    fn add_condition(&mut self, condition: &Expr, below: RelationSet) -> Option<()> {
        split_conjunction(condition).into_iter().try_for_each(|condition| match condition {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => self.add_equality(left, right, below),
            other => self.add_other(other.clone(), below),
        })
    }

    /// Adds keys by which two sides are joined. Those that can fail stay keys of whatever has both sides whole.
    fn add_key(&mut self, left: (&Expr, RelationSet), right: (&Expr, RelationSet)) -> Option<()> {
        let ((one, of_one), (other, of_other)) = (left, right);
        if is_movable(one) && is_movable(other) {
            return self.add_equality(one, other, of_one | of_other);
        }
        if [one, other].into_iter().any(|key| key.is_volatile() || asks_for_rows(key)) {
            return None;
        }
        self.add_equal((one.clone(), of_one), (other.clone(), of_other));
        Some(())
    }

    fn add_equal(&mut self, left: (Expr, RelationSet), right: (Expr, RelationSet)) {
        let relations = left.1 | right.1;
        self.conditions.push(Condition { kind: ConditionKind::Equal { left, right }, relations });
    }

    fn add_equality(&mut self, left: &Expr, right: &Expr, below: RelationSet) -> Option<()> {
        let (of_left, of_right) = (self.relations_of(left)?, self.relations_of(right)?);
        let is_key = !of_left.is_empty() && !of_right.is_empty() && !of_left.meets(of_right);
        if !is_key || !is_movable(left) || !is_movable(right) {
            return self.add_other(left.clone().eq(right.clone()), below);
        }
        match (left, right) {
            // What is NULL where no row was found equals nothing, there.
            (Expr::Column(left), Expr::Column(right))
                if !self.outer.meets(of_left | of_right) && self.have_one_type(left, right) =>
            {
                self.equal.push((left.clone(), right.clone()));
            }
            _ => self.add_equal((left.clone(), of_left), (right.clone(), of_right)),
        }
        Some(())
    }

    fn have_one_type(&self, left: &Column, right: &Column) -> bool {
        self.type_of(left).is_some_and(|data_type| self.type_of(right) == Some(data_type))
    }

    fn add_other(&mut self, condition: Expr, below: RelationSet) -> Option<()> {
        if condition.is_volatile() || asks_for_rows(&condition) {
            return None;
        }
        let relations = self.relations_of(&condition)?;
        let relations = if relations.is_empty() || may_fail(&condition) { below } else { relations };
        self.conditions.push(Condition { kind: ConditionKind::Other(condition), relations });
        Some(())
    }

    /// The relations whose columns an expression reads.
    fn relations_of(&self, expr: &Expr) -> Option<RelationSet> {
        expr.column_refs().into_iter().map(|column| self.columns.get(column).copied().map(RelationSet::one)).collect()
    }

    fn type_of(&self, column: &Column) -> Option<arrow::datatypes::DataType> {
        let relation = &self.relations[*self.columns.get(column)?];
        Some(relation.plan.schema().field_from_column(column).ok()?.data_type().clone())
    }

    /// The region, whose relations are in an order of their own: what is chosen must not depend on the one that is written.
    fn region(mut self, written: Tree, schema: DFSchemaRef) -> Region {
        let mut order: Vec<usize> = (0..self.relations.len()).collect();
        order.sort_by_cached_key(|place| self.relations[*place].plan.schema().columns().into_iter().min());
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, old)| places[*old] = new);
        let moved = |set: RelationSet| set.places().map(|place| RelationSet::one(places[place])).collect();

        let mut relations: Vec<_> = std::mem::take(&mut self.relations).into_iter().enumerate().collect();
        relations.sort_by_key(|(old, _)| places[*old]);
        let mut relations: Vec<_> = relations.into_iter().map(|(_, relation)| relation).collect();
        for dependent in relations.iter_mut().filter_map(|relation| relation.dependent.as_mut()) {
            dependent.needs = moved(dependent.needs);
        }
        self.columns.values_mut().for_each(|place| *place = places[*place]);
        let mut conditions = self.conditions;
        for condition in &mut conditions {
            condition.relations = moved(condition.relations);
            if let ConditionKind::Equal { left, right } = &mut condition.kind {
                (left.1, right.1) = (moved(left.1), moved(right.1));
            }
        }
        let classes = classes(&self.equal, &self.columns, &mut conditions);
        Region { relations, classes, conditions, written: written.moved(&places), schema }
    }
}

/// Whether an expression may be evaluated for rows that others would have left out.
fn is_movable(expr: &Expr) -> bool {
    !may_fail(expr) && !expr.is_volatile() && !asks_for_rows(expr)
}

/// Whether it holds a subquery that is asked anew for other rows.
fn asks_for_rows(expr: &Expr) -> bool {
    let asks = |expr: &Expr| match expr {
        Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) | Expr::OuterReferenceColumn(..) => true,
        Expr::ScalarSubquery(subquery) => !subquery.outer_ref_columns.is_empty(),
        _ => false,
    };
    expr.exists(|expr| Ok(asks(expr))).unwrap_or(true)
}

/// The classes of columns that are equal. Those of one relation that are become a condition of it.
fn classes(equal: &[(Column, Column)], places: &HashMap<Column, usize>, conditions: &mut Vec<Condition>) -> Vec<Class> {
    let mut groups: Vec<Vec<&Column>> = Vec::new();
    for (left, right) in equal {
        let mut merged = vec![left, right];
        groups.retain_mut(|group| {
            let meets = group.contains(&left) || group.contains(&right);
            if meets {
                merged.append(group);
            }
            !meets
        });
        merged.sort();
        merged.dedup();
        groups.push(merged);
    }
    let class = |group: Vec<&Column>| {
        let mut members: BTreeMap<usize, Column> = BTreeMap::new();
        for column in group {
            let place = places[column];
            match members.get(&place) {
                Some(first) => {
                    let same = Expr::Column(first.clone()).eq(Expr::Column(column.clone()));
                    let relations = RelationSet::one(place);
                    conditions.push(Condition { kind: ConditionKind::Other(same), relations });
                }
                None => drop(members.insert(place, column.clone())),
            }
        }
        Class { relations: members.keys().map(|place| RelationSet::one(*place)).collect(), members }
    };
    let mut classes: Vec<_> = groups.into_iter().map(class).collect();
    classes.sort_by(|one, other| one.members.cmp(&other.members));
    classes
}
