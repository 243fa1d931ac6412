//! What tests that go through a socket stand on: an S3 store, the proxy in front of it, a web server, and the server itself.

pub mod s3;

pub mod proxy;

pub mod server;

pub mod raw;

pub mod tls;

pub mod web;
