//! The server under test: the real binary, as a process of its own.
//!
//! Tests know only what a user knows: its arguments and environment, what it prints, its port and its exit status.
//! Nothing here waits for a time to pass. Readiness is the line that the server prints and its end is the end of its
//! output; [`DEADLINE`] only turns a hang into a failure.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, NoTls, Socket};

/// Longer than any start or stop takes on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// What the server prints before its port, on a line of its standard output, once it accepts connections.
const READY: &str = "ready on 127.0.0.1:";

/// Settings that must come from the test, not from the shell of whoever runs it.
const CLEARED_ENV_PREFIXES: [&str; 2] = ["THERMOCLINE_", "AWS_"];

/// The user and the database that [`TestServer::connect`] asks for.
const USER: &str = "thermocline";

/// A server that is ready for connections. Dropping it kills it.
pub struct TestServer {
    process: Process,
    port: u16,
}

/// A signal.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// What `docker stop` and service managers send.
    Terminate,
    /// What Ctrl-C sends.
    Interrupt,
    /// What asks it to read its files again.
    Hangup,
}

impl TestServer {
    /// A server with a data directory of its own and default settings, to be started.
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder::default()
    }

    /// The loopback port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Opens a session, as the default user in the default database.
    pub async fn connect(&self) -> Client {
        match self.try_connect(&self.config(), NoTls).await {
            Ok(client) => client,
            Err(error) => panic!("cannot connect: {error:?}; the server's output:\n{}", self.log()),
        }
    }

    /// Where the server is, the default user and the default database.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user(USER).dbname(USER);
        config
    }

    /// Opens a session if the server lets it.
    pub async fn try_connect<T>(&self, config: &Config, tls: T) -> Result<Client, Error>
    where
        T: MakeTlsConnect<Socket, Stream: Send + 'static>,
    {
        let connected = timeout(DEADLINE, config.connect(tls)).await;
        let connected = connected
            .unwrap_or_else(|_| panic!("no session within {DEADLINE:?}; the server's output:\n{}", self.log()));
        let (client, connection) = connected?;
        // When the connection breaks the client's next call says so.
        tokio::spawn(connection);
        Ok(client)
    }

    /// The error with which `work` of this client's session ends, which is sent cancel requests until it does.
    ///
    /// A request that arrives before its statement has no effect, so it is repeated. Each one is waited for until the
    /// server has closed its connection, which is after it took effect: none is left to meet a later statement.
    pub async fn cancelled<T>(&self, client: &Client, work: impl Future<Output = Result<T, Error>>) -> Error {
        let cancel_token = client.cancel_token();
        let ended = Cell::new(false);
        let cancelling = async {
            while !ended.get() {
                let mut socket = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
                cancel_token.cancel_query_raw(&mut socket, NoTls).await.unwrap();
                socket.read_to_end(&mut Vec::new()).await.unwrap();
            }
        };
        let working = async {
            let answer = timeout(DEADLINE, work).await;
            ended.set(true);
            answer
        };
        match tokio::join!(working, cancelling) {
            (Ok(Err(error)), ()) => error,
            (Ok(Ok(_)), ()) => panic!("it ended before it was cancelled"),
            (Err(_), ()) => panic!("no end within {DEADLINE:?}; the server's output:\n{}", self.log()),
        }
    }

    /// Everything that it has printed so far, on both streams; for the messages of assertions.
    pub fn log(&self) -> String {
        self.process.log.text()
    }

    /// Ends it without notice, as a crash or a power cut would, and waits until it is gone.
    pub fn kill_hard(&mut self) {
        self.process.kill();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.send(signal);
    }

    /// Waits until it has ended, and returns how.
    pub async fn ended(&mut self) -> ExitStatus {
        self.process.ended().await
    }

    /// Asks it to stop, waits until it has, and returns how it ended.
    pub async fn stop_gracefully(&mut self, signal: Signal) -> ExitStatus {
        self.process.send(signal);
        self.process.ended().await
    }
}

/// How a server is to be started.
#[derive(Default)]
pub struct TestServerBuilder {
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    data_dir: Option<PathBuf>,
}

impl TestServerBuilder {
    /// Adds an argument, after `--listen` and `--data-dir`.
    pub fn arg(mut self, arg: impl Into<OsString>) -> TestServerBuilder {
        self.args.push(arg.into());
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> TestServerBuilder {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Keeps its data in this directory, which then outlives the server: for tests that start it again.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> TestServerBuilder {
        self.data_dir = Some(path.into());
        self
    }

    /// Starts the server and waits until it is ready. Panics with its output if it ends before that.
    pub async fn start(self) -> TestServer {
        let mut process = self.spawn();
        match process.ready().await {
            Some(port) => TestServer { process, port },
            None => panic!("the server ended before it was ready; its output:\n{}", process.log.text()),
        }
    }

    /// Starts a server that must refuse its settings. Returns how it ended, and what it said about it.
    pub async fn start_expecting_failure(self) -> (ExitStatus, String) {
        let mut process = self.spawn();
        if process.ready().await.is_some() {
            panic!("the server started, but should have refused; its output:\n{}", process.log.text());
        }
        let status = process.ended().await;
        (status, process.log.text())
    }

    fn spawn(self) -> Process {
        let (data_dir, own_data_dir) = match self.data_dir {
            Some(given) => (given, None),
            None => {
                let own = tempfile::tempdir().expect("a temporary directory can be made");
                (own.path().to_path_buf(), Some(own))
            }
        };

        let mut command = Command::new(env!("CARGO_BIN_EXE_thermocline-under-test"));
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
        // What is known of tables must not depend on when somebody has had time to look.
        command.args(["--external-sample", "0"]).args(self.args);
        clear_env(&mut command);
        command.envs(self.env);
        Process::start(command, own_data_dir)
    }
}

/// Takes out of the environment what the server would take for settings.
fn clear_env(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if CLEARED_ENV_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
}

/// A child process, its output, and the directory that goes away with it.
struct Process {
    child: Child,
    log: Log,
    /// Gets the port when the ready line is read, and closes when both output streams have.
    ready_ports: UnboundedReceiver<u16>,
    _own_data_dir: Option<TempDir>,
}

impl Process {
    fn start(mut command: Command, own_data_dir: Option<TempDir>) -> Process {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("cargo has built the server");
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let stderr = child.stderr.take().expect("standard error is a pipe");

        let log = Log::default();
        let (ports, ready_ports) = unbounded_channel();
        drain(stdout, log.clone(), ports.clone(), ready_port);
        // The contract puts the ready line on standard output: the same words in a log line are no promise.
        drain(stderr, log.clone(), ports, |_| None);
        Process { child, log, ready_ports, _own_data_dir: own_data_dir }
    }

    /// The port of the ready line, or nothing if the server ended without it.
    async fn ready(&mut self) -> Option<u16> {
        match timeout(DEADLINE, self.ready_ports.recv()).await {
            Ok(port) => port,
            Err(_) => panic!("the server was not ready within {DEADLINE:?}; its output:\n{}", self.log.text()),
        }
    }

    /// Waits for the end of the server. All of its output is in the log by then.
    async fn ended(&mut self) -> ExitStatus {
        let closed = timeout(DEADLINE, async { while self.ready_ports.recv().await.is_some() {} }).await;
        if closed.is_err() {
            panic!("the server had not ended after {DEADLINE:?}; its output:\n{}", self.log.text());
        }
        // A process closes its output as it exits, so there is next to nothing left to block for.
        self.child.wait().expect("our child can be waited for")
    }

    /// Sends a signal with the shell's own `kill`: the standard library can only send SIGKILL, and small container
    /// images have no `kill` program.
    fn send(&self, signal: Signal) {
        let name = match signal {
            Signal::Terminate => "TERM",
            Signal::Interrupt => "INT",
            Signal::Hangup => "HUP",
        };
        let pid = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid]).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "the server was gone before the signal; its output:\n{}",
            self.log.text()
        );
    }

    fn kill(&mut self) {
        // An error means that it has been waited for already, so it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a process has printed, on both streams, in the order in which it was read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn push(&self, line: &str) {
        self.0.lock().expect("nobody panics while holding the log").push_str(line);
    }

    fn text(&self) -> String {
        self.0.lock().expect("nobody panics while holding the log").clone()
    }
}

/// Reads a stream to its end on a thread of its own, so that the child never waits for room in the pipe, whatever the
/// test's runtime is busy with. Holds `ports` until then.
fn drain(
    stream: impl Read + Send + 'static,
    log: Log,
    ports: UnboundedSender<u16>,
    find_port: fn(&str) -> Option<u16>,
) {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line);
            log.push(&text);
            if let Some(port) = find_port(&text) {
                // Nobody listens any more once the test is over, and the pipe is to be drained all the same.
                let _ = ports.send(port);
            }
            line.clear();
        }
    });
}

fn ready_port(line: &str) -> Option<u16> {
    let (_, after) = line.split_once(READY)?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}
