//! What the tests through a socket and the commands beside them share: sessions, answers, and their comparison.
//!
//! The tests are in `tests/it`; the commands are `record-postgresql`, `generate`, `crash`,
//! `isolation` and `fuzz-wire`.

pub mod command;

pub mod session;

pub mod answer;

pub mod statements;

pub mod corpus;

pub mod expected;

pub mod compare;

pub mod differences;

pub mod under_test;

pub mod generate;

pub mod crash;

pub mod isolation;

pub mod fuzz_wire;
