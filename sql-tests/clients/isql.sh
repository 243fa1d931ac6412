#!/usr/bin/env bash
# A session of unixODBC's isql with psqlODBC: every value as text.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"

connection="Driver=PostgreSQL Unicode;Server=$PGHOST;Port=$PGPORT;Database=$PGDATABASE;Uid=$PGUSER;Pwd=$PGPASSWORD;SSLmode=$PGSSLMODE;pqopt={sslrootcert=$PGSSLROOTCERT};MaxLongVarcharSize=1000;BoolsAsChar=0"
isql() { command isql -k "$connection" -b -d$'\x1f' -v 2>&1; }

list=() statements=''
add_value() {
    list+=("$1" "$4")
    statements+="SELECT format('%s', $3)"$'\n'
}

for_values add_value
number=0
while IFS= read -r line; do
    equal "${list[number]}" "$line" "${list[number + 1]}"
    number=$((number + 2))
done < <(isql <<<"$statements")
equal 'number of values' "$number" "${#list[@]}"
equal 'error' "$(isql <<<'SELECT * FROM nowhere' | grep -o 'relation.*exist' | head -n 1)" 'relation "nowhere" does not exist'
finish
