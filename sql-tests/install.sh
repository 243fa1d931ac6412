# What the commands of this folder install, and how. Sourced by them. Each function's status says whether all is there.

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Debian packages, unless they are there.
install_packages() {
    if dpkg -s "$@" >/dev/null 2>&1; then return; fi
    as_root apt-get update -q &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

# The newest of the PostgreSQL servers that are installed: where its pg_ctl is.
find_postgresql() { find /usr/lib/postgresql -path '*/bin/pg_ctl' 2>/dev/null | sort -V | tail -n 1; }

# A PostgreSQL server with pgbench, unless there is one.
install_postgresql() {
    if [ -n "$(find_postgresql)" ]; then return; fi
    # Debian's package would start a server of its own, on the usual port.
    as_root mkdir -p /etc/postgresql-common &&
        echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null &&
        install_packages postgresql postgresql-client postgresql-contrib
}

# install_python FOLDER REQUIREMENTS: an environment of Python with what the list says, unless it has that already.
install_python() {
    if cmp -s "$2" "$1/installed"; then return; fi
    rm -rf "$1"
    python3 -m venv "$1" &&
        "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2" &&
        cp "$2" "$1/installed"
}
