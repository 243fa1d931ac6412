# What the sessions in shell share: checks that are counted. Sourced by them.

count=0 failures=0

# equal NAME GOT EXPECTED
equal() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then return; fi
    failures=$((failures + 1))
    printf 'FAIL %s: %s instead of %s\n' "$1" "${2//$'\n'/ ¶ }" "${3//$'\n'/ ¶ }"
}

# Calls a command with each value: name, type, expression and text.
for_values() {
    local name type sql text
    while IFS=$'\x1f' read -r name type sql text; do
        case "$name" in '#'*) ;; *) "$@" "$name" "$type" "$sql" "$text" ;; esac
    done < <(tr '\t' '\037' <"$CLIENTS_VALUES")
}

# Runs until it is cancelled.
ENDLESS='SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b'

finish() { echo "checks $count, failures $failures"; }
