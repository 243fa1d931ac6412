//! Statements by the million, whose answers are compared with PostgreSQL's.
//!
//! * [`random`]: the numbers that decide everything, so that a seed says what was run
//! * [`types`]: the types and their edge values
//! * [`words`]: arguments that mean something to a function, such as formats
//! * [`entry`]: what an expression is made of: operators, functions, casts, syntax
//! * [`expression`]: expressions of a type, nested
//! * [`query`]: queries over tables
//! * [`forms`]: queries whose form is what is tested
//! * [`sql`]: SQL as a tree, to be made smaller
//! * [`writer`]: queries of queries, with [`relation`] in FROM, [`condition`] in WHERE, [`mod@select`] around them, and in them
//!   the columns that a [`scope`] has, of the tables that [`related`] has
//! * [`change`]: changes of tables by such queries
//! * [`tables`]: the tables, and the session that sees them
//! * [`run`]: both servers' answers to batches of statements
//! * [`minimise`]: the smallest part of a statement that still differs
//! * [`report`]: what was counted, by what differs

pub mod random;

pub mod types;

pub mod words;

pub mod entry;

pub mod expression;

pub mod query;

pub mod forms;

pub mod sql;

pub mod scope;

pub mod related;

pub mod writer;

pub mod relation;

pub mod condition;

pub mod select;

pub mod change;

pub mod tables;

pub mod run;

pub mod minimise;

pub mod report;
