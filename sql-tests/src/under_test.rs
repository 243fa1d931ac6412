//! Thermocline as a process beside a command, which ends with it.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::session::Address;

/// What the server prints before its port, once it accepts connections.
const READY: &str = "ready on 127.0.0.1:";

/// A server with a data folder of its own. Dropping it kills it.
pub struct UnderTest {
    process: Child,
    address: Address,
    data: PathBuf,
}

impl UnderTest {
    /// Starts the program that cargo has put beside the one that runs, with its data in a folder that is made anew.
    pub fn start(data: &Path) -> io::Result<UnderTest> {
        let program = std::env::current_exe()?.with_file_name("thermocline-under-test");
        if data.exists() {
            std::fs::remove_dir_all(data)?;
        }
        std::fs::create_dir_all(data)?;
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = process.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| port(&line));
        // The pipe is drained to the end, so that the server never waits for room in it.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let address = Address::local(port.unwrap_or_default(), "thermocline");
        let server = UnderTest { process, address, data: data.to_owned() };
        match port {
            Some(_) => Ok(server),
            None => Err(io::Error::other("the server ended before it was ready")),
        }
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
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn port(line: &str) -> Option<u16> {
    let (_, after) = line.split_once(READY)?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
