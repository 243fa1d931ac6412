//! The life of the process: settings, server, signals, end.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::access::Access;
use crate::access::tls::TlsPolicy;
use crate::config::{Command, Config, ConfigError};
use crate::server::{DATABASE, SUPERUSER, Server};
use crate::unix_socket::UnixSocket;
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
    server.set_first_password().await?;
    let unix = match &server.config.unix_socket_dir {
        Some(directory) => Some(listen_at_unix_socket(directory, address.port())?),
        None => None,
    };
    announce(&server, address, &data_dir, with_demo);

    let signals = [stop_on_signal(server.clone())?, reload_on_signal(server.clone())?];
    server.serve(listener, unix).await;
    signals.iter().for_each(tokio::task::JoinHandle::abort);
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

fn listen_at_unix_socket(directory: &Path, port: u16) -> Result<UnixSocket, String> {
    UnixSocket::bind(directory, port)
        .map_err(|error| format!("could not listen at a Unix socket in {}: {error}", directory.display()))
}

fn announce(server: &Server, address: std::net::SocketAddr, data_dir: &str, with_demo: bool) {
    let (host, port) = (address.ip(), address.port());
    let host = if host.is_unspecified() { "127.0.0.1".to_owned() } else { host.to_string() };
    println!("Thermocline {} is ready on {address}, with its data in {data_dir}.", env!("CARGO_PKG_VERSION"));
    announce_access(&server.access);
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

/// Says who may come in: a newcomer should know that he is trusted, and who else is.
fn announce_access(access: &Access) {
    match &access.config.rules_file {
        Some(path) => println!("Who may connect, and with what, is in {}.", path.display()),
        None => {
            let networks: Vec<_> = access.config.trusted_networks.iter().map(ToString::to_string).collect();
            let besides =
                if networks.is_empty() { String::new() } else { format!(" and from {}", networks.join(", ")) };
            println!("Connections from this machine{besides} are trusted; all others need a password.");
        }
    }
    match (&access.tls, access.config.tls_policy) {
        (None, _) => println!("Connections are not encrypted: there is no --tls-cert."),
        (Some(_), TlsPolicy::Require) => println!("Connections must be encrypted."),
        (Some(_), _) => println!("Connections may be encrypted."),
    }
}

/// Stops the server at SIGINT or SIGTERM; at the second one, without waiting for what is running.
fn stop_on_signal(server: Arc<Server>) -> std::io::Result<tokio::task::JoinHandle<()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => info!("stopping: interrupted"),
                _ = terminate.recv() => info!("stopping: terminated"),
            }
            server.stop();
        }
    }))
}

/// Reads the files that say who may come in again at SIGHUP.
fn reload_on_signal(server: Arc<Server>) -> std::io::Result<tokio::task::JoinHandle<()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            server.access.reload();
        }
    }))
}
