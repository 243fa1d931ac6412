//! The server's program; everything is in the library, where the tests reach it.

use std::process::ExitCode;

/// Plans are made of many small pieces of memory, and batches of large ones, on many threads: see decision 029.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    server::run()
}
