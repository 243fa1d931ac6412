//! The log: to standard error, so that standard output has only what a person started the server to see.

use tracing_subscriber::EnvFilter;

/// Starts logging what the filter lets through.
///
/// # Errors
/// The filter cannot be read.
pub fn start(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("setting log = \"{filter}\": {error}"))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    subscriber.try_init().map_err(|error| error.to_string())
}
