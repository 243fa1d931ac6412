#!/usr/bin/env bash
# A session of LibreOffice Base's PostgreSQL driver, in an office without windows that with_libreoffice.py tells what to do.
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
work="$(mktemp -d)"
trap 'kill -- -"$office" 2>/dev/null || true; wait "$office" 2>/dev/null || true; rm -rf "$work"' EXIT

"$CLIENT_BIN/psql" -Xq -v ON_ERROR_STOP=1 -f "$folder/catalog_answers/schema.sql"
export LIBREOFFICE_PIPE="clients_$$"
# The command starts the office as another process, which only a group of processes of their own ends with it.
set -m
soffice --headless --norestore --nologo "-env:UserInstallation=file://$work/profile" \
    "--accept=pipe,name=$LIBREOFFICE_PIPE;urp;" >"$work/log" 2>&1 &
office="$!"
set +m
# Debian's own Python has the office's modules.
/usr/bin/python3 "$folder/with_libreoffice.py"
