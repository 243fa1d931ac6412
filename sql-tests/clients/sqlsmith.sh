#!/usr/bin/env bash
# A session of SQLsmith, which reads the catalog and makes up queries of whatever it finds there. Most are refused, for their
# functions are called with what they cannot mean; but nothing may be an internal error, and the server stays.
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$folder/check.sh"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

QUERIES="${SQLSMITH_QUERIES:-2000}"
SEED="${SQLSMITH_SEED:-1}"
# Longer ones are given up: they join the catalog's relations with each other.
QUERY_MILLISECONDS_MAX=100
# Of the queries that run, or the others would say little.
ANSWERED_PERCENT_MIN=10

psql() { "$CLIENT_BIN/psql" -XAtq "$@"; }

value() {
    if [ "$1" = int4_max ]; then equal "$1" "$(psql -c "SELECT $3")" "$4"; fi
}

psql -v ON_ERROR_STOP=1 -f "$folder/catalog_answers/schema.sql"
# It does not quote the names of columns.
psql -v ON_ERROR_STOP=1 -c 'DROP TABLE store."Odd name", store.pairs, store.parts' \
    -c "INSERT INTO store.customers (name, mail) SELECT 'n' || i, 'm' || i FROM generate_series(1, 20) AS s(i)" \
    -c "INSERT INTO store.orders (customer, quantity) SELECT i, i FROM generate_series(1, 20) AS s(i)"

# SQLsmith takes no settings of the connection but these.
sqlsmith --target="host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=$PGUSER password='$PGPASSWORD'" \
    --seed="$SEED" --max-queries="$QUERIES" --dry-run >"$work/queries" 2>"$work/said" || true
equal generated "$(grep -c ';$' "$work/queries" || tail -n 2 "$work/said")" "$QUERIES"

# psql ends when the server does, and tells the line of a query at its end.
status=0
PGOPTIONS="-c statement_timeout=$QUERY_MILLISECONDS_MAX" psql -v VERBOSITY=sqlstate -o /dev/null -f "$work/queries" >"$work/errors" 2>&1 || status="$?"
equal ended "$status $(grep -c 'connection to server was lost' "$work/errors" || true)" '0 0'
while IFS=: read -r _ _ line _; do
    # A query starts behind the end of the one before.
    start="$(head -n "$((line - 1))" "$work/queries" | grep -n ';$' | tail -n 1 | cut -d: -f1)"
    equal "internal error" "$(sed -n "$((${start:-0} + 1)),${line}p" "$work/queries")" ''
done < <(grep 'ERROR:  XX' "$work/errors" || true)
answered="$(((QUERIES - $(grep -c 'ERROR:' "$work/errors" || true)) * 100 / QUERIES))"
equal 'some are answered' "$((answered >= ANSWERED_PERCENT_MIN))" 1
equal 'the server lives' "$(psql -c 'SELECT 1')" 1
for_values value
finish
