//! The life of the process: settings, server, signals, end.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::config::{Command, Config, ConfigError};
use crate::server::{DATABASE, SUPERUSER, Server};
use crate::{demo, restore, telemetry};

/// Stack of each thread. Parser, planner and optimiser recurse over a statement's tree; the limits in `parse` keep that
/// within this. The memory is only taken when it is used.
pub const THREAD_STACK_BYTES: usize = 256 << 20;

/// Runs the server until it is told to stop.
pub fn run() -> ExitCode {
    let (config, command) = match Config::from_process() {
        Ok(settings) => settings,
        Err(ConfigError::CommandLine(error)) => error.exit(),
        Err(error) => return failed(&error),
    };
    if let Err(error) = telemetry::start(&config.log) {
        return failed(&error);
    }
    // A process needs exactly one; nothing else has had a chance to install another.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return failed(&"a crypto provider is installed already");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("worker")
        .thread_stack_size(THREAD_STACK_BYTES)
        .enable_all()
        .build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(async {
            match command {
                None => serve(config, false).await,
                Some(Command::Demo) => serve(config, true).await,
                Some(Command::Restore { from }) => Ok(restore::run(config, &from).await?),
            }
        }),
        Err(error) => return failed(&error),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("thermocline: {error}");
    ExitCode::FAILURE
}

async fn serve(mut config: Config, with_demo: bool) -> Result<(), Box<dyn std::error::Error>> {
    let listener = listen(&config).await?;
    if with_demo {
        demo::prepare(&mut config)?;
    }
    let address = listener.local_addr()?;
    let data_dir = config.data_dir.display().to_string();
    let server = Server::open(config)?;
    if with_demo {
        demo::run(&server).await?;
    }
    announce(address, &data_dir, with_demo);

    let stop = stop_on_signal(server.clone())?;
    server.serve(listener).await;
    stop.abort();
    info!("server stopped");
    Ok(())
}

async fn listen(config: &Config) -> Result<TcpListener, String> {
    let addresses: Vec<_> = config.listen.iter().map(ToString::to_string).collect();
    let listener = TcpListener::bind(config.listen.as_slice()).await;
    listener.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "could not listen on {}: the port is in use. Is another server running? Choose another one with --listen.",
            addresses.join(", ")
        ),
        _ => format!("could not listen on {}: {error}", addresses.join(", ")),
    })
}

fn announce(address: std::net::SocketAddr, data_dir: &str, with_demo: bool) {
    let (host, port) = (address.ip(), address.port());
    let host = if host.is_unspecified() { "127.0.0.1".to_owned() } else { host.to_string() };
    println!("Thermocline {} is ready on {address}, with its data in {data_dir}.", env!("CARGO_PKG_VERSION"));
    println!("There is no authentication yet: connections from this machine are trusted, others are refused");
    println!("unless --trusted-network names them.");
    println!();
    match with_demo {
        true => {
            println!("Try next:");
            println!("  psql -h {host} -p {port} -U {SUPERUSER} {DATABASE} -c '{}'", demo::QUERY_TO_TRY);
        }
        false => println!("Connect with:  psql -h {host} -p {port} -U {SUPERUSER} {DATABASE}"),
    }
    println!("Stop with Ctrl-C.");
}

/// Stops the server at SIGINT or SIGTERM.
fn stop_on_signal(server: Arc<Server>) -> std::io::Result<tokio::task::JoinHandle<()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => info!("stopping: interrupted"),
            _ = terminate.recv() => info!("stopping: terminated"),
        }
        server.stop();
    }))
}
