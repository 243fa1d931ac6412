//! Expressions that are evaluated for some of the rows, and values that are evaluated once and used several times.
//!
//! PostgreSQL evaluates the right side of AND and OR only where the left side does not decide, so
//! `x <> 0 AND 10 / x > 2` does not fail. The engine does so for a batch as a whole at best. Here are functions of ours in
//! its place, whose later arguments are the engine's *lambdas*: bodies that are evaluated by the function, over the rows
//! that it chooses.
//!
//! * [`connected`] makes an AND or OR; a [`connective`] of ours only where a condition after the first can fail.
//! * [`conjuncts`] takes an AND apart again where the engine wants single conditions, below WHERE and ON. What can fail is
//!   kept from failing there by `optimize::guard_filters` and `optimize::guard_joins`.
//! * [`in_order`] keeps the engine from taking a CASE apart.
//! * [`bound_once`] gives an expression a name within another; [`extreme`] is GREATEST and LEAST, by any comparison.
//! * [`may_fail`] knows what can fail.

mod connective;
mod extreme;
mod fallible;
mod named_value;

pub use connective::{balanced, conjuncts, connected, connected_physical, in_order, operands, physical_connective};
pub use extreme::extreme;
pub use fallible::{may_fail, may_fail_on, physical_may_fail};
pub use named_value::{bound_once, variable};
