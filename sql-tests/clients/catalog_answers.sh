#!/usr/bin/env bash
# What a driver tells of the catalog: the same as of PostgreSQL's, recorded in catalog_answers/NAME.txt.
# catalog_answers.sh NAME COMMAND…; CLIENTS_RECORD=yes run … --postgresql records it.
#
# The command is a session that prints a line `== QUESTION` for each question, and what the driver answers below it.
set -euo pipefail
DIFFERENT_LINES_MAX=12
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$folder/check.sh"
expected="$folder/catalog_answers/$1.txt"
shift

# Owners and databases have other names, since here everything belongs to the first role.
answers() { "$@" 2>&1 | sed -E ':again; s/(^|[|=\/ ])(clients|postgres|thermocline)([|\/]|$)/\1NAME\3/g; t again'; }

# answer FILE QUESTION: what the file has of it.
answer() {
    Q="== $2" awk '$0 == ENVIRON["Q"] { found = 1; next } /^== / { found = 0 } found' "$1"
}

# The value that is planted wrong, so that a run with --plant finds something here, too.
value() {
    if [ "$1" = int4_max ]; then equal "$1" "$("$CLIENT_BIN/psql" -XAtqc "SELECT $3")" "$4"; fi
}

"$CLIENT_BIN/psql" -Xq -v ON_ERROR_STOP=1 -f "$folder/catalog_answers/schema.sql"
got="$(mktemp)"
trap 'rm -f "$got"' EXIT
answers "$@" >"$got"
if [ -n "${CLIENTS_RECORD:-}" ]; then cp "$got" "$expected"; fi
# Of a long answer the first lines that differ are shown.
while IFS= read -r question; do
    equal "$question" "$(diff <(answer "$expected" "$question") <(answer "$got" "$question") | grep '^[<>]' | head -n "$DIFFERENT_LINES_MAX")" ''
done < <(sed -n 's/^== //p' "$expected")
for_values value
finish
