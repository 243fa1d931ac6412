#!/usr/bin/env bash
# A session of psql: the simple protocol, COPY, variables, errors as they are shown, and what later versions can do besides.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"

psql() { "$CLIENT_BIN/psql" -XAtq "$@" 2>&1; }
# answers NAME: what psql answers to the lines on its standard input, besides what varies, and what only one server says.
answers() { equal "$1" "$(psql | sed '/^LOCATION/d; /^DETAIL:  Expected/d; s/ from server process.*//')" "$expected"; }

# PyPI's build of psql 18 knows no TLS, so it comes by the Unix socket.
tls=yes
case "$(psql -c '' || true)" in
*'SSL support is not compiled in'*) export PGHOST="$CLIENTS_SOCKET" PGSSLMODE=disable tls='' ;;
esac

encrypting() {
    equal 'TLS' "$(psql -c '\conninfo' | grep -c 'TLSv1')" 1
    equal 'wrong authority' "$(PGSSLROOTCERT=/etc/ssl/certs/ca-certificates.crt psql -c 'SELECT 1' | grep -o 'certificate verify failed' | head -n 1)" \
        'certificate verify failed'
    equal 'wrong name' "$(psql "hostaddr=127.0.0.1 host=elsewhere" -c 'SELECT 1' | grep -c 'does not match host name')" 1
    equal 'channel binding' "$(psql 'channel_binding=require' -c 'SELECT 1')" 1
}

connecting() {
    equal 'Unix socket' "$(PGSSLMODE=disable psql -h "$CLIENTS_SOCKET" -c 'SELECT current_user')" clients
    equal 'options' "$(PGOPTIONS='-c statement_timeout=12s' psql -c 'SHOW statement_timeout')" 12s
    equal 'time zone' "$(PGTZ=Asia/Tokyo psql -c 'SHOW TimeZone')" Asia/Tokyo
    equal 'wrong password' "$(PGPASSWORD=wrong psql -c 'SELECT 1' | grep -o 'FATAL: .*' | head -n 1)" \
        'FATAL:  password authentication failed for user "clients"'
}

# All values by one psql, whose lines are those of the list.
list=() statements=''
add_value() {
    list+=("$1" "$4")
    statements+="SELECT $3;"$'\n'
}

values() {
    for_values add_value
    local number=0 line
    while IFS= read -r line; do
        equal "${list[number]}" "$line" "${list[number + 1]}"
        number=$((number + 2))
    done < <(psql <<<"$statements")
    equal 'number of values' "$number" "${#list[@]}"
}

errors() {
    expected="ERROR:  relation \"nowhere\" does not exist
LINE 1: SELECT * FROM nowhere;
                      ^
ERROR:  42P01: relation \"nowhere\" does not exist
LINE 1: SELECT * FROM nowhere;
                      ^
ERROR:  division by zero
22012
ERROR:  syntax error at or near \";\"
LINE 1: SELECT 1 +;
                  ^
ERROR:  syntax error at or near \"x\"
LINE 1: SELECT 1 FORM x;
                      ^
1"
    equal 'end of input' "$(psql -c 'SELECT 1 +')" $'ERROR:  syntax error at end of input\nLINE 1: SELECT 1 +\n                  ^'

    answers 'errors' <<'SQL'
SELECT * FROM nowhere;
\set VERBOSITY verbose
SELECT * FROM nowhere;
\set VERBOSITY default
SELECT 1 / 0;
\echo :SQLSTATE
SELECT 1 +;
SELECT 1 FORM x;
SELECT 1;
SQL
}

transactions() {
    expected="1
ERROR:  division by zero
ERROR:  current transaction is aborted, commands ignored until end of transaction block
1|1
WARNING:  there is no transaction in progress
1
3"
    answers 'transactions' <<'SQL'
CREATE TEMP TABLE rows (id int);
BEGIN; INSERT INTO rows VALUES (1); SAVEPOINT a; INSERT INTO rows VALUES (2) RETURNING 1; SELECT 1 / 0;
SELECT 1;
ROLLBACK TO a; COMMIT;
SELECT count(*), max(id) FROM rows;
COMMIT;
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO rows VALUES (3);
\set QUIET on
COMMIT;
SELECT id FROM rows ORDER BY id;
SQL
    expected='ERROR:  division by zero
0'
    answers 'one transaction' <<'SQL'
CREATE TEMP TABLE rows (id int);
INSERT INTO rows VALUES (1)\; SELECT 1 / 0;
SELECT count(*) FROM rows;
SQL
    equal 'several' "$(psql -c 'SELECT 1; SELECT 2; SELECT 3')" $'1\n2\n3'
}

copying() {
    expected='1|a
2|
3|"x", y
i,t
1,a
2,
3,"""x"", y"
ERROR:  invalid input syntax for type integer: "four"
CONTEXT:  COPY copied, line 1, column i: "four"
4'
    answers 'COPY' <<'SQL'
CREATE TEMP TABLE copied (i int, t text);
COPY copied FROM STDIN;
1	a
2	\N
\.
COPY copied FROM STDIN WITH (FORMAT csv);
3,"""x"", y"
\.
SELECT * FROM copied ORDER BY i;
COPY (SELECT * FROM copied ORDER BY i) TO STDOUT WITH (FORMAT csv, HEADER);
COPY copied FROM STDIN;
four	b
\.
\copy copied (t) from program 'printf "by psql\\n"'
SELECT count(*) FROM copied;
SQL
}

cursors() {
    expected='500500|1000
1|x1
2|x2
3|x3
prepared 3'
    answers 'cursors' <<'SQL'
SELECT sum(i), count(*) FROM generate_series(1, 1000) AS s(i) \gset
\echo :sum|:count
\set FETCH_COUNT 2
SELECT i, 'x' || i FROM generate_series(1, 3) AS s(i);
\unset FETCH_COUNT
PREPARE three (text) AS SELECT $1 || ' 3';
EXECUTE three('prepared');
SQL
    equal 'many rows' "$(psql --set=FETCH_COUNT=1000 -c "SELECT i, repeat('x', 50) FROM generate_series(1, 200000) AS s(i)" | wc -l)" 200000
    expected='a|integer
b|numeric(10,2)
c|text[]
t.i=1'
    answers 'describe' <<'SQL'
SELECT 1 AS a, 1.5::numeric(10,2) AS b, '{}'::text[] AS c \gdesc
SELECT 'SELECT ''t.i='' || 1' \gexec
SQL
}

settings() {
    expected='Asia/Tokyo
03.02.2001
P1D
UTC
2001-02-03
ERROR:  prepared statement "gone" does not exist
ERROR:  relation "left_over" does not exist
LINE 1: SELECT * FROM left_over;
                      ^'
    answers 'settings' <<'SQL'
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = German; SET IntervalStyle = iso_8601;
SHOW TimeZone; SELECT '2001-02-03'::date; SELECT '1 day'::interval;
PREPARE gone AS SELECT 1; CREATE TEMP TABLE left_over (a int);
DISCARD ALL;
SHOW TimeZone; SELECT '2001-02-03'::date;
EXECUTE gone;
SELECT * FROM left_over;
SQL
    expected='NOTICE:  table "nowhere" does not exist, skipping
Asynchronous notification "bell" with payload "ding" received'
    answers 'notifications' <<'SQL'
DROP TABLE IF EXISTS nowhere;
LISTEN bell;
NOTIFY bell, 'ding';
SQL
}

cancelling() {
    equal 'timeout' "$(PGOPTIONS='-c statement_timeout=100' psql -c "$ENDLESS")" \
        'ERROR:  canceling statement due to statement timeout'
    # As a control-C: psql sends a cancel request, by TLS where it can.
    equal 'cancelled' "$(timeout --signal=INT 1 "$CLIENT_BIN/psql" -XAtq -c "$ENDLESS" 2>&1)" \
        $'Cancel request sent\nERROR:  canceling statement due to user request'
}

# What psql has since 16 and 18: the extended protocol, its prepared statements, and pipelines.
extended_protocol() {
    expected='3|x
ERROR:  invalid input syntax for type integer: "y"
CONTEXT:  unnamed portal parameter $1 = '"'...'"'
8
10
ERROR:  prepared statement "twice" does not exist'
    answers 'extended protocol' <<'SQL'
\bind 2 x
SELECT $1::int + 1, $2;
\bind y
SELECT $1::int;
SELECT $1::int * 2 \parse twice
\bind_named twice 4 \g
\bind_named twice 5 \g
\close_prepared twice
\bind_named twice 6 \g
SQL
    expected='1
2
three
ERROR:  division by zero
4'
    answers 'pipelines' <<'SQL'
\startpipeline
SELECT $1::int \bind 1 \sendpipeline
SELECT $1::int \bind 2 \sendpipeline
\syncpipeline
SELECT $1 \bind three \sendpipeline
\endpipeline
\startpipeline
SELECT 1 / $1::int \bind 0 \sendpipeline
SELECT $1 \bind never \sendpipeline
\endpipeline
SELECT 4;
SQL
}

if [ -n "$tls" ]; then encrypting; fi
connecting
values
errors
transactions
copying
cursors
settings
cancelling
if [ "$("$CLIENT_BIN/psql" --version | grep -o '[0-9]*' | head -n 1)" -ge 18 ]; then extended_protocol; fi
finish
