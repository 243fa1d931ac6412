//! Thermocline as a process beside a command, which ends with it.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::session::Address;

/// What the server prints before its port, once it accepts connections.
const READY: &str = "ready on 127.0.0.1:";

/// A server with a data folder of its own. Dropping it kills it.
pub struct UnderTest {
    process: Child,
    address: Address,
    /// Removed at the end.
    data: Option<PathBuf>,
}

impl UnderTest {
    /// Starts the program that cargo has put beside the one that runs, with its data in a folder that is made anew and
    /// goes away at the end.
    pub fn start(data: &Path) -> io::Result<UnderTest> {
        if data.exists() {
            std::fs::remove_dir_all(data)?;
        }
        std::fs::create_dir_all(data)?;
        let process = spawn(data, Stdio::null())?;
        let mut server = UnderTest::ready(process)?;
        server.data = Some(data.to_owned());
        Ok(server)
    }

    /// Starts it on a folder that may have data and outlives it; its log goes to the end of a file.
    pub fn start_on(data: &Path, log: &Path) -> io::Result<UnderTest> {
        UnderTest::ready(spawn(data, appended(log)?)?)
    }

    /// Waits for the line that says where it listens.
    fn ready(mut process: Child) -> io::Result<UnderTest> {
        let stdout = process.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| port(&line));
        // The pipe is drained to the end, so that the server never waits for room in it.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let address = Address::local(port.unwrap_or_default(), "thermocline");
        let server = UnderTest { process, address, data: None };
        match port {
            Some(_) => Ok(server),
            None => Err(io::Error::other("the server ended before it was ready")),
        }
    }

    /// Ends it without notice. Whether it was still there.
    pub fn kill(&mut self) -> io::Result<bool> {
        let lived = self.process.try_wait()?.is_none();
        self.process.kill()?;
        self.process.wait()?;
        Ok(lived)
    }

    /// The memory that it has.
    ///
    /// # Errors
    /// It has ended.
    pub fn memory_bytes(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB"));
        let kilobytes = kilobytes.and_then(|number| number.trim().parse::<u64>().ok());
        kilobytes.map(|number| number << 10).ok_or_else(|| io::Error::other("the server has no memory"))
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

impl Drop for UnderTest {
    fn drop(&mut self) {
        // Errors mean that it has ended by itself, and that its folder is gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(data) = &self.data {
            let _ = std::fs::remove_dir_all(data);
        }
    }
}

/// Starts it as [`UnderTest::start_on`] does, and kills it after some time, wherever it is by then.
pub fn kill_while_it_starts(data: &Path, log: &Path, after: Duration) -> io::Result<()> {
    let mut process = spawn(data, appended(log)?)?;
    thread::sleep(after);
    process.kill()?;
    process.wait()?;
    Ok(())
}

fn appended(log: &Path) -> io::Result<Stdio> {
    Ok(File::options().create(true).append(true).open(log)?.into())
}

fn spawn(data: &Path, log: Stdio) -> io::Result<Child> {
    let program = std::env::current_exe()?.with_file_name("thermocline-under-test");
    let mut command = Command::new(program);
    command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()
}

fn port(line: &str) -> Option<u16> {
    let (_, after) = line.split_once(READY)?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
