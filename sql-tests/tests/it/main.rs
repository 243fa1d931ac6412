//! Everything that tests Thermocline through a socket, in one program: linking the engine once is slow enough.
//!
//! * [`slt`]: the statements and answers below `slt/`, the place for whatever SQL alone can show
//! * [`corpus`]: the statements below `corpus/`, and PostgreSQL's recorded answers to them
//! * [`protocol`]: what a driver sees of the wire protocol and SQL text does not show
//! * [`cursors`]: prepared statements and portals, which SQL and the protocol share
//! * [`notifications`]: what sessions send to each other
//! * [`client_encoding`]: clients that have another encoding than the server
//! * [`copy`], [`copy_refused`]: the bytes that COPY sends and takes, and what it says of statements
//! * [`hostile_messages`]: clients that do not keep to the protocol
//! * [`encryption`]: who encrypts, and with which certificate
//! * [`access`]: roles, passwords, rules, and how many may come in
//! * [`sessions`]: sessions that do nothing, whose client has gone, or whose server stops
//! * [`errors`]: what goes wrong and what the client is told about it
//! * [`object_store_faults`]: what external tables ask of their store, and what happens when it fails
//! * [`secrets`]: which locations they open, and that nobody sees them
//! * [`web_and_clouds`]: files of web servers and of clouds, and which addresses may be connected to
//! * [`loads`]: loads that meet each other, and what is told of rows that were left out
//! * [`locks`]: transactions that want the same rows or keys
//! * [`durability`]: processes that are killed, stopped, or refuse to start
//! * [`backup`]: copies of a running server, and servers made of them
//! * [`temporary`]: temporary tables, and what is left of them
//! * [`isolation`]: sessions that run at the same time
//! * [`demo`]: the demo of a newcomer's first minute
//! * [`system_catalog`]: the shape of `pg_catalog` and `information_schema`
//! * [`tpch`]: TPC-H's queries over hot and external tables at once, against the engine without Thermocline
//!
//! They stand on [`support`] (the server, an S3 store, a proxy in front of it), [`client`] (one session) and [`fixtures`]
//! (Parquet files).

#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests have switches in their environment, and collect the answers that they compare"
)]

mod slt;

mod corpus;

mod protocol;

mod cursors;

mod notifications;

mod copy;

mod copy_refused;

mod errors;
mod explain;

mod object_store_faults;

mod secrets;

mod web_and_clouds;

mod hostile_messages;

mod encryption;

mod access;
mod advisory_locks;

mod sessions;

mod settings;

mod loads;
mod locks;

mod durability;

mod isolation;
mod join_methods;
mod join_order;

mod backup;

mod temporary;

mod definitions;

mod demo;

mod system_catalog;

mod tpch;

mod tpcds;

mod recorded;

mod client;
mod client_encoding;

mod fixtures;

mod support;
