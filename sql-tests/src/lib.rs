//! Tests that go through a socket; they are in `tests/it`. This crate exists for the program they start.
