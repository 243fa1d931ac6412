#!/usr/bin/env bash
# A session of pg_dump: what it writes of a schema, as statements and as INSERT commands, and psql and pg_restore making the
# same schema of it again.
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$folder/check.sh"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

psql() { "$CLIENT_BIN/psql" -XAtq -v ON_ERROR_STOP=1 "$@" 2>&1; }

# dump OPTION…: the schema, and how it went; without the random key that newer versions write into their scripts.
dump() { "$CLIENT_BIN/pg_dump" --schema store --no-owner --no-privileges "$@" 2>&1 | sed '/^\\\(un\)\?restrict /d'; }

# What a dump has of definitions or data.
lines() { grep -E "$1" "$2" || true; }

fill() {
    psql -f "$folder/catalog_answers/schema.sql"
    psql <<'SQL'
INSERT INTO store.customers (name, mail, created_at, tags, facts, state, home) VALUES
    ('Ann', 'a@x', '2024-01-02 03:04:05.6+00', '{a,"b c",NULL}', '{"k": [1, null]}', 'paid', ROW('High', 'Leeds', 7, '{1.50,2.00}')),
    ('Bo' || chr(9) || '\' || chr(10), 'b@x', '2024-01-02', '{}', NULL, NULL, NULL);
INSERT INTO store.orders (customer, quantity, at, price) VALUES (1, 2, '2024-02-03 04:05:06.789', 12.3456), (2, NULL, NULL, NULL);
INSERT INTO store.parts VALUES (1, 1, 'ü'), (1, 2, NULL);
INSERT INTO store.pairs VALUES (1, 2), (NULL, NULL);
INSERT INTO store."Odd name" VALUES (1, 'x', '%'), (NULL, '', NULL);
INSERT INTO store.kinds (a_bool, a_double, a_numeric_38_10, a_bytea, a_date, an_interval, a_uuid, integers, states, a_real) VALUES
    (true, 0.1, 1234567890123456789012345678.0123456789, '\x00ff', '2024-02-29', '1 mon -2 days 03:04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
        '{1,NULL,-3}', '{new,paid}', '-Infinity');
SELECT setval('store.numbers', 100);
SQL
}

# Everything that is in the schema: the rows of each relation, and where its sequences stand.
contents() {
    local relation
    for relation in customers orders parts pairs '"Odd name"' kinds names; do
        printf '%s\n' "$relation"
        psql -c "SELECT * FROM store.$relation ORDER BY 1, 2"
    done
    psql -c "SELECT last_value, is_called FROM store.numbers" -c "SELECT last_value FROM store.customers_id_seq" \
        -c "SELECT last_value FROM store.orders_id_seq"
}

# again NAME COMMAND…: the schema is dropped and made again by a command, and is as it was.
again() {
    local name="$1" said
    shift
    psql -c 'SET client_min_messages TO warning' -c 'DROP SCHEMA store CASCADE'
    said="$("$@" 2>&1 | grep -i -m 3 error || true)"
    equal "$name, errors" "$said" ''
    equal "$name, rows" "$(contents | diff "$work/contents" - | head -n 12)" ''
    equal "$name, dumped again" "$(dump | diff "$work/dump" - | head -n 12)" ''
    fill >/dev/null
}

from_script() { psql -f "$work/dump"; }
from_inserts() { psql -f "$work/inserts"; }
from_archive() { "$CLIENT_BIN/pg_restore" --no-owner --dbname "$PGDATABASE" "$work/archive"; }

value() {
    if [ "$1" = int4_max ]; then equal "$1" "$(psql -c "SELECT $3")" "$4"; fi
}

fill >/dev/null
contents >"$work/contents"
dump >"$work/dump" || true
equal errors "$(lines '^pg_dump: ' "$work/dump")" ''
equal tables "$(lines '^CREATE (TABLE|VIEW|TYPE|DOMAIN|SEQUENCE|SCHEMA) ' "$work/dump")" "CREATE SCHEMA store;
CREATE DOMAIN store.amount AS numeric(14,4);
CREATE DOMAIN store.mail AS character varying(80) NOT NULL;
CREATE TYPE store.place AS (
CREATE TYPE store.state AS ENUM (
CREATE TABLE store.\"Odd name\" (
CREATE TABLE store.customers (
CREATE TABLE store.kinds (
CREATE VIEW store.names AS
CREATE SEQUENCE store.numbers
CREATE TABLE store.orders (
CREATE SEQUENCE store.orders_id_seq
CREATE TABLE store.pairs (
CREATE TABLE store.parts ("
equal constraints "$(lines '^    ADD CONSTRAINT' "$work/dump")" '    ADD CONSTRAINT customers_mail_key UNIQUE (mail);
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);
    ADD CONSTRAINT orders_customer_at UNIQUE (customer, at);
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
    ADD CONSTRAINT parts_pkey PRIMARY KEY ("order", line);
    ADD CONSTRAINT orders_customer FOREIGN KEY (customer) REFERENCES store.customers(id) ON DELETE CASCADE;
    ADD CONSTRAINT pairs_parts FOREIGN KEY ("order", line) REFERENCES store.parts("order", line);
    ADD CONSTRAINT parts_order FOREIGN KEY ("order") REFERENCES store.orders(id) ON UPDATE SET NULL;'
equal data "$(lines '^COPY ' "$work/dump")" 'COPY store."Odd name" (" a", "select", "100%_\") FROM stdin;
COPY store.customers (id, name, mail, created_at, tags, facts, state, home) FROM stdin;
COPY store.kinds (a_bool, a_char, a_name, a_small, an_integer, a_big, an_oid, a_real, a_double, a_numeric, a_numeric_20, a_numeric_38_10, a_text, a_varchar, a_varchar_20, a_character, a_character_5, a_bytea, a_date, a_time, a_time_3, a_timetz, a_timestamp, a_timestamp_0, a_timestamptz, a_timestamptz_6, an_interval, a_uuid, a_json, a_jsonb, integers, varchars, numerics, states) FROM stdin;
COPY store.orders (id, customer, quantity, at, price) FROM stdin;
COPY store.pairs ("order", line) FROM stdin;
COPY store.parts ("order", line, note) FROM stdin;'
dump --inserts --column-inserts >"$work/inserts" || true
equal inserts "$(lines '^INSERT ' "$work/inserts" | wc -l)" 11
equal 'some tables' "$(dump --schema-only --table 'store.p*' | lines '^CREATE TABLE' -)" 'CREATE TABLE store.pairs (
CREATE TABLE store.parts ('
again 'from a script' from_script
again 'from INSERTs' from_inserts
"$CLIENT_BIN/pg_dump" --schema store --no-owner --format custom --file "$work/archive" || true
again 'from an archive' from_archive
# It looks for a database of its own choice otherwise, of which there may be none.
"$CLIENT_BIN/pg_dumpall" --roles-only --database "$PGDATABASE" >"$work/roles" 2>&1 || true
equal roles "$(lines '^CREATE ROLE clients|^pg_dumpall: error' "$work/roles")" 'CREATE ROLE clients;
CREATE ROLE clients_md5;'
for_values value
finish
