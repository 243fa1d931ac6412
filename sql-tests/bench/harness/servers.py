"""Starts and stops the servers that are compared, each with a data directory of its own on the same disk."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg

READY_SECONDS_MAX = 120
# Who may use so much for a table of 1 GB has all of it in memory, as the peers have. The rest is PostgreSQL's default:
# fsync and synchronous_commit are on.
POSTGRESQL_SETTINGS = {
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "work_mem": "128MB",
    "maintenance_work_mem": "512MB",
    "max_connections": "200",
    "timezone": "UTC",
}


class NotReady(Exception):
    """A server has ended, or does not take connections."""


class Server:
    """What both servers have: a process, an address, a folder."""

    has_one_process = True

    def __init__(self, name, folder, user, database):
        self.name, self.folder, self.user, self.database = name, Path(folder), user, database
        self.port, self.process = None, None

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return {"host": "127.0.0.1", "port": str(self.port), "user": self.user, "dbname": self.database}

    def connect(self):
        # A prepared statement would change what is measured after its fifth execution.
        connection = psycopg.connect(**self.address, autocommit=True)
        connection.prepare_threshold = None
        return connection

    def launch(self, command, **options):
        """Starts the process; returns the seconds until it has answered its first statement."""
        log = open(self.folder / "log", "ab")
        started = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **options)
        while True:
            try:
                with self.connect() as connection:
                    connection.execute("SELECT 1")
                return time.perf_counter() - started
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.perf_counter() - started > READY_SECONDS_MAX:
                    raise NotReady(f"{self.name}: {error}; see {self.folder}/log") from error
                time.sleep(0.002)

    def stop(self, with_signal):
        if self.process and self.process.poll() is None:
            self.process.send_signal(with_signal)
            self.process.wait(READY_SECONDS_MAX)
        self.process = None


class Thermocline(Server):
    """Our server."""

    def __init__(self, binary, folder, name="thermocline", settings=()):
        super().__init__(name, folder, "thermocline", "thermocline")
        self.binary, self.settings = binary, list(settings)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def start(self):
        """Starts it; returns the seconds until it is ready."""
        self.port = free_port()
        listen = ["--listen", f"127.0.0.1:{self.port}", "--data-dir", self.folder / "data", "--log", "warn"]
        return self.launch([self.binary, *listen, *self.settings])

    def close(self):
        """Lets it end by itself."""
        self.stop(signal.SIGTERM)

    def kill(self):
        """Ends it at once."""
        self.stop(signal.SIGKILL)

    def set_rules(self, rules):
        """Who may connect from then on, in the form of pg_hba.conf."""
        path = self.folder / "rules"
        path.write_text("\n".join(rules) + "\n")
        self.settings += ["--hba-file", path]
        self.close()
        self.start()

    def describe(self):
        with self.connect() as connection:
            version = connection.execute("SELECT version()").fetchone()[0]
        return f"{version}; settings: {' '.join(map(str, self.settings)) or 'the default'}; binary: {self.binary}"


class PostgreSQL(Server):
    """Debian's PostgreSQL."""

    has_one_process = False

    def __init__(self, folder, name="postgresql", tls=None):
        super().__init__(name, folder, "postgres", "postgres")
        self.settings = dict(POSTGRESQL_SETTINGS)
        self.bin = Path(os.environ["POSTGRESQL_BIN"])
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        # It refuses to run as root.
        self.owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        if self.owner:
            shutil.chown(self.folder, "postgres", "postgres")
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--lc-ctype=C.UTF-8"]
        subprocess.run(
            [self.bin / "initdb", "-D", self.folder / "data", *options],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.owner,
        )
        if tls:
            self.use_tls(*tls)

    def use_tls(self, certificate, key):
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            path = self.folder / "data" / name
            shutil.copyfile(source, path)
            # It refuses a key that others may read.
            path.chmod(0o600)
            if self.owner:
                shutil.chown(path, "postgres", "postgres")
        self.settings["ssl"] = "on"

    def set_rules(self, rules):
        """Who may connect from then on, in the form of pg_hba.conf."""
        (self.folder / "data" / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        self.close()
        self.start()

    def start(self):
        """Starts it; returns the seconds until it is ready."""
        self.port = free_port()
        settings = {**self.settings, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": self.port}
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        return self.launch([self.bin / "postgres", "-D", self.folder / "data", *flags], cwd=self.folder, **self.owner)

    def close(self):
        """Lets it end without waiting for clients."""
        self.stop(signal.SIGINT)

    def describe(self):
        with self.connect() as connection:
            version = connection.execute("SELECT version()").fetchone()[0]
        return f"{version}; {', '.join(f'{name}={value}' for name, value in self.settings.items())}"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
