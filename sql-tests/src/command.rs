//! How the commands end.

use std::fmt::Display;
use std::process::ExitCode;

/// Tells what went wrong, if anything did, to who has run the command.
pub fn end<E: Display>(done: Result<(), E>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
