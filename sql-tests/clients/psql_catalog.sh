#!/usr/bin/env bash
# What psql's backslash commands show of the catalog: the same as of PostgreSQL's, recorded in psql_catalog/expected.txt.
# CLIENTS_RECORD=yes run psql-catalog --postgresql records it.
#
# commands.txt has the commands whose answers are compared, answered.txt those that only have to answer: what they show are
# the system's own objects, of which there are others here.
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$folder/check.sh"
folder="$folder/psql_catalog"

# answer COMMAND: what is shown, but for what differs from one server, or one run, to the next: sizes, the text of views, and
# owners, since here everything belongs to the first role.
answer() {
    printf '%s\n' 'SET client_min_messages TO warning;' 'CREATE TEMPORARY TABLE passing (a integer);' \
        'SET search_path TO shop, public;' "$1" |
        "$CLIENT_BIN/psql" -XAqt -P footer=off -P tuples_only=off 2>&1 |
        sed -E '/^View definition:/,$d; s/[0-9]+ (bytes|kB|MB)/SIZE/g; s/pg_temp_[0-9]+/pg_temp/g; s/\|(clients|thermocline)(\||$)/|OWNER\2/g'
}

record() {
    local command
    while IFS= read -r command; do
        printf '== %s\n' "$command"
        answer "$command"
    done <"$folder/commands.txt" >"$folder/expected.txt"
}

# expected COMMAND: what is recorded of it.
expected() {
    C="== $1" awk '$0 == ENVIRON["C"] { found = 1; next } /^== / { found = 0 } found' "$folder/expected.txt"
}

# The value that is planted wrong, so that a run with --plant finds something here, too.
value() {
    if [ "$1" = int4_max ]; then equal "$1" "$("$CLIENT_BIN/psql" -XAtqc "SELECT $3")" "$4"; fi
}

"$CLIENT_BIN/psql" -Xq -v ON_ERROR_STOP=1 -f "$folder/schema.sql"
if [ -n "${CLIENTS_RECORD:-}" ]; then record; fi
while IFS= read -r command; do
    equal "$command" "$(answer "$command")" "$(expected "$command")"
done <"$folder/commands.txt"
while IFS= read -r command; do
    equal "$command" "$(answer "$command" | grep -m 1 'ERROR' || true)" ''
done <"$folder/answered.txt"
for_values value
finish
