#!/usr/bin/env bash
# A session of pgbench: each of its protocols, several clients at once.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"

script="$(mktemp)"
trap 'rm -f "$script"; "$CLIENT_BIN/psql" -Xqc "DROP TABLE IF EXISTS accounts_of_pgbench"' EXIT

# How many transactions it says it has done, and how many have failed.
pgbench() {
    "$CLIENT_BIN/pgbench" --no-vacuum "$@" 2>&1 |
        sed -n 's/^number of transactions actually processed: //p; s/^number of failed transactions: \([0-9]*\).*/failed \1/p; /ERROR/p'
}

# Divides by zero when the value is not its text.
add_comparison() {
    comparisons+=("$1" "SELECT 1 / (CASE WHEN format('%s', $3) = '${4//\'/\'\'}' THEN 1 ELSE 0 END);")
    printf '%s\n' "${comparisons[-1]}" >>"$script"
}

# All in one script; one by one when that fails, to say which.
comparisons=()
for_values add_comparison
whole="$(pgbench -t 7 -M prepared -f "$script")"
for ((number = 0; number < ${#comparisons[@]}; number += 2)); do
    answer="$whole"
    if [ "$whole" != $'7/7\nfailed 0' ]; then
        printf '%s\n' "${comparisons[number + 1]}" >"$script"
        answer="$(pgbench -t 7 -M prepared -f "$script")"
    fi
    equal "${comparisons[number]}" "$answer" $'7/7\nfailed 0'
done

"$CLIENT_BIN/psql" -Xqc 'CREATE TABLE accounts_of_pgbench (id int PRIMARY KEY, balance int)' \
    -c 'INSERT INTO accounts_of_pgbench SELECT i, 100 FROM generate_series(1, 1000) AS s(i)'
for protocol in simple extended prepared; do
    cat >"$script" <<'SQL'
\set id random(1, 1000)
SELECT balance FROM accounts_of_pgbench WHERE id = :id;
SQL
    equal "$protocol" "$(pgbench -M "$protocol" -c 8 -j 2 -t 50 -f "$script")" $'400/400\nfailed 0'
    cat >"$script" <<'SQL'
\set id random(1, 1000)
\set amount random(1, 10)
BEGIN;
UPDATE accounts_of_pgbench SET balance = balance - :amount WHERE id = :id;
UPDATE accounts_of_pgbench SET balance = balance + :amount WHERE id = :id;
SELECT sum(balance) AS total FROM accounts_of_pgbench \gset
\if :total != 100000
    SELECT 1 / 0;
\endif
END;
SQL
    equal "$protocol, transactions" "$(pgbench -M "$protocol" -c 4 -j 2 -t 10 -f "$script")" $'40/40\nfailed 0'
done
cat >"$script" <<'SQL'
\startpipeline
SELECT 1;
SELECT balance FROM accounts_of_pgbench WHERE id = 1;
\endpipeline
SQL
equal 'pipeline' "$(pgbench -M prepared -c 2 -t 50 -f "$script")" $'100/100\nfailed 0'
finish
