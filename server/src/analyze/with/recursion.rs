//! Where a recursive table may name itself (PostgreSQL's `checkWellFormedRecursion`): once in the recursive term, and not
//! where its rows would be taken away again.

use pg::error::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::{
    Cte, JoinOperator, ObjectName, Query, Select, SetExpr, SetOperator, SetQuantifier, TableFactor, TableWithJoins,
    visit_relations,
};
use std::collections::HashSet;
use std::ops::ControlFlow;

use crate::analyze::folded;

/// What stands around a place of the recursive term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Nothing,
    OuterJoin,
    Intersect,
    Except,
}

/// What is wrong with the terms of a recursive table, and the name that it is wrong with.
pub(super) fn fault(name: &str, anchor: &SetExpr, step: &SetExpr) -> Option<(PgError, ObjectName)> {
    let refused = |what: &str, at: ObjectName| {
        let message = format!("recursive reference to query \"{name}\" must not appear {what}");
        (PgError::new(SqlState::INVALID_RECURSION, message), at)
    };
    if let Some(found) = references(anchor, name).into_iter().next() {
        return Some(refused("within its non-recursive term", found));
    }
    let mut walk = Walk { name, found: Vec::new() };
    walk.set_expr(step, Around::Nothing);
    for (around, at) in &walk.found {
        let what = match around {
            Around::Nothing => continue,
            Around::OuterJoin => "within an outer join",
            Around::Intersect => "within INTERSECT",
            Around::Except => "within EXCEPT",
        };
        return Some(refused(what, at.clone()));
    }
    if let Some((_, second)) = walk.found.get(1) {
        return Some(refused("more than once", second.clone()));
    }
    let all = references(step, name);
    let hidden =
        all.into_iter().find(|found| !walk.found.iter().any(|(_, known)| known == found && same_place(known, found)));
    hidden.map(|found| refused("within a subquery", found))
}

fn same_place(left: &ObjectName, right: &ObjectName) -> bool {
    let start = |name: &ObjectName| name.0.first().and_then(|part| part.as_ident()).map(|part| part.span.start);
    start(left) == start(right)
}

/// The places where a name without schema is a relation's.
fn references<V: sqlparser::ast::Visit>(node: &V, name: &str) -> Vec<ObjectName> {
    let mut found = Vec::new();
    let _: ControlFlow<()> = visit_relations(node, |relation| {
        if is_named(relation, name) {
            found.push(relation.clone());
        }
        ControlFlow::Continue(())
    });
    found
}

fn is_named(relation: &ObjectName, name: &str) -> bool {
    match relation.0.as_slice() {
        [part] => part.as_ident().is_some_and(|part| folded(part) == name),
        _ => false,
    }
}

/// Goes through FROM, and the operands of set operations, with what stands around.
struct Walk<'a> {
    name: &'a str,
    found: Vec<(Around, ObjectName)>,
}

impl Walk<'_> {
    fn query(&mut self, query: &Query, around: Around) {
        if let Some(with) = &query.with {
            with.cte_tables.iter().for_each(|table| self.query(&table.query, around));
        }
        self.set_expr(&query.body, around);
    }

    fn set_expr(&mut self, body: &SetExpr, around: Around) {
        match body {
            SetExpr::Select(select) => self.select(select, around),
            SetExpr::Query(query) => self.query(query, around),
            SetExpr::SetOperation { op, set_quantifier, left, right } => {
                let all = *set_quantifier == SetQuantifier::All;
                let (of_left, of_right) = match op {
                    SetOperator::Union => (around, around),
                    SetOperator::Intersect if all => (Around::Intersect, Around::Intersect),
                    SetOperator::Intersect => (around, around),
                    _ if all => (Around::Except, Around::Except),
                    _ => (around, Around::Except),
                };
                self.set_expr(left, of_left);
                self.set_expr(right, of_right);
            }
            _ => {}
        }
    }

    fn select(&mut self, select: &Select, around: Around) {
        select.from.iter().for_each(|item| self.item(item, around));
    }

    fn item(&mut self, item: &TableWithJoins, around: Around) {
        use JoinOperator::{FullOuter, Left, LeftOuter, Right, RightOuter};
        // What stands on the left of a join may lose its rows to all joins further right.
        let kept = item.joins.iter().all(|join| !matches!(join.join_operator, Right(_) | RightOuter(_) | FullOuter(_)));
        self.factor(&item.relation, if kept { around } else { Around::OuterJoin });
        for (place, join) in item.joins.iter().enumerate() {
            let lost = matches!(join.join_operator, Left(_) | LeftOuter(_) | FullOuter(_))
                || item.joins[place + 1..]
                    .iter()
                    .any(|later| matches!(later.join_operator, Right(_) | RightOuter(_) | FullOuter(_)));
            self.factor(&join.relation, if lost { Around::OuterJoin } else { around });
        }
    }

    fn factor(&mut self, factor: &TableFactor, around: Around) {
        match factor {
            TableFactor::Table { name, .. } if is_named(name, self.name) => self.found.push((around, name.clone())),
            TableFactor::Derived { subquery, .. } => self.query(subquery, around),
            TableFactor::NestedJoin { table_with_joins, .. } => self.item(table_with_joins, around),
            _ => {}
        }
    }
}

/// The tables of a WITH RECURSIVE, each behind those that it reads; nothing if two read each other.
pub(super) fn in_order(tables: &[Cte]) -> Option<Vec<&Cte>> {
    let names: Vec<_> = tables.iter().map(|table| folded(&table.alias.name)).collect();
    let mut done: HashSet<&str> = HashSet::new();
    let mut ordered = Vec::with_capacity(tables.len());
    while ordered.len() < tables.len() {
        let next = tables.iter().zip(&names).find(|(table, own)| {
            let ready = |name: &String| {
                name == *own || done.contains(name.as_str()) || references(table.query.as_ref(), name).is_empty()
            };
            !done.contains(own.as_str()) && names.iter().all(ready)
        });
        let (table, name) = next?;
        done.insert(name);
        ordered.push(table);
    }
    Some(ordered)
}
