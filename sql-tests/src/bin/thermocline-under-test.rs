//! The server as the tests start it: cargo tells a package's tests the path of that package's own programs only.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run()
}
