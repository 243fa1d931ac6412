//! A server that is killed over and over while clients write, and what it holds whenever it starts again.
//!
//! Each writer knows what its rows are: what was acknowledged is there, what was refused is not, and the one change that
//! had no answer when the server was killed is there entirely or not at all. Since the data directory is the same all the
//! time, what one cycle damages is there for the next ones to find.
//!
//! * [`model`]: what a writer's tables hold, as far as it knows
//! * [`change`]: the statements, and what they make of the model
//! * [`writer`]: makes changes until its server is gone
//! * [`check`]: compares a server's rows with the model
//! * [`nuisance`]: vacuums, reads and moves money between accounts meanwhile
//! * [`cycle`]: starts, kills, and starts again
//! * [`control`]: faults that are planted, to see that they are found
//! * [`flips`]: bits that flip in the files of the data directory

pub mod model;

pub mod change;

pub mod writer;

pub mod check;

pub mod nuisance;

pub mod cycle;

pub mod control;

pub mod flips;
