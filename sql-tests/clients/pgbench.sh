#!/usr/bin/env bash
# A session of pgbench: each of its protocols, several clients at once.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"

script="$(mktemp)"
trap 'rm -f "$script"; "$CLIENT_BIN/psql" -Xqc "DROP TABLE IF EXISTS accounts_of_pgbench"' EXIT

# How many transactions it says it has done, and how many have failed, whatever its status.
pgbench() {
    { "$CLIENT_BIN/pgbench" --no-vacuum "$@" 2>&1 || true; } |
        sed -n 's/^number of transactions actually processed: //p; s/^number of failed transactions: \([0-9]*\).*/failed \1/p; /ERROR/p'
}

# Divides by zero when the value is not its text.
add_comparison() {
    names+=("$1")
    comparisons+=("SELECT 1 / (CASE WHEN format('%s', $3) = '${4//\'/\'\'}' THEN 1 ELSE 0 END);")
}

# All in one script. pgbench says which command has failed: that one is counted, and the others run again.
names=() comparisons=()
for_values add_comparison
while [ "${#names[@]}" -gt 0 ]; do
    printf '%s\n' "${comparisons[@]}" >"$script"
    answer="$(pgbench -t 7 -M prepared -f "$script")"
    failed="$(sed -n 's/.*aborted in command \([0-9]*\) .*/\1/p; s/.*script 0 command \([0-9]*\) .*/\1/p' <<<"$answer" | head -n 1)"
    if [ -z "$failed" ]; then
        for name in "${names[@]}"; do equal "$name" "$answer" $'7/7\nfailed 0'; done
        break
    fi
    equal "${names[failed]}" "$answer" 'no error'
    names=("${names[@]:0:failed}" "${names[@]:failed+1}")
    comparisons=("${comparisons[@]:0:failed}" "${comparisons[@]:failed+1}")
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
