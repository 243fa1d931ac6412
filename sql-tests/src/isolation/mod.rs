//! Concurrent transactions, and whether what they have seen agrees with their isolation level.
//!
//! Each key has a list. Transactions append values that nobody else appends, and read lists: so the longest list of a key
//! tells the order of its versions, each value its writer, and each read the version that it has seen. From these follow
//! which transactions must have come before which others; a cycle is an anomaly, by Adya's names. (The idea is Elle's: Kingsbury and
//! Alvaro, VLDB 2020.)
//!
//! * [`schedule`]: statements of several sessions in a given order
//! * [`history`]: what transactions did and saw
//! * [`workload`]: transactions by chance, against a server
//! * [`graph`]: which came before which, and cycles
//! * [`anomalies`]: what a history shows, and what each level forbids

pub mod schedule;

pub mod history;

pub mod workload;

pub mod graph;

pub mod anomalies;
