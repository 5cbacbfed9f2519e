# shellcheck shell=bash
# One turn of an arm: a load, what it left in the database, and whose CPU time it took. Sourced by
# bench/http, which sets what is read here.

# Rows by which work is counted: what a transaction committed, whatever was answered.
readonly -A counters=(
    [none]='SELECT 0'
    [charges]='SELECT COUNT(*) FROM cash_history'
    [tickets]='SELECT last_ticket FROM gate_state'
    [holds]='SELECT COUNT(*) FROM seat_reservation'
    [cancelled]="SELECT COUNT(*) FROM seat_reservation WHERE status = 'CANCELLED'"
    [payments]='SELECT COUNT(*) FROM payment'
    [all]='SELECT (SELECT last_ticket FROM gate_state) + (SELECT COUNT(*) FROM seat_reservation)
        + (SELECT COUNT(*) FROM payment)'
)

is_wanted() { # ARM …: any of them
    local arm
    [ -n "$only" ] || return 0
    for arm in "$@"; do
        [[ ,$only, != *",$arm,"* ]] || return 0
    done
    return 1
}

# Runs an arm; its figures are kept when the arm is wanted. What the kind KIND was granted must be
# in the tables; "-" stands for all kinds of a load that are counted at all.
measure() { # ARM COUNTER COMMAND …
    local arm=$1 counter=${counters[$2]} rows asked cpu before
    shift 2
    note "$turn: $arm"
    rows=$(sql "$counter") && asked=$(questions) && before=$(spans) && cpu=$(bench_cpu) ||
        die "what is there before $arm cannot be counted"
    "$@" >"$scratch/measured" || die "$arm failed: see above"
    bench_cpu >"$scratch/cpu" || die "the CPU time of $arm cannot be told"
    spans >"$scratch/spans" || die "how long $arm took cannot be told"
    asked=$(($(questions) - asked))
    await_accepted "$counter" "$rows"
    rows=$(($(sql "$counter") - rows)) || die "what $arm committed cannot be counted"
    is_wanted "$arm" || return 0
    jq -c --arg arm "$arm" --argjson rows "$rows" --argjson questions "$asked" --argjson before "$cpu" \
        --slurpfile after "$scratch/cpu" --argjson spansBefore "$before" --slurpfile spans "$scratch/spans" \
        '{arm: $arm, committed: $rows, $questions, cpuUs: ($after[0] | with_entries(
            .value -= ($before[.key] // 0))), spans: ($spans[0] | with_entries(
            .value.s -= ($spansBefore[.key].s // 0) | .value.count -= ($spansBefore[.key].count // 0)))} + .' \
        "$scratch/measured" >>"$scratch/results"
}

# Jobs that were answered 202 are committed later: the next turn is not to pay for them.
await_accepted() { # COUNTER ROWS BEFORE
    local wanted deadline=$((SECONDS + 20))
    jq -e '[.kinds[].statuses["202"] // 0] | add > 0' "$scratch/measured" >/dev/null || return 0
    wanted=$(jq '[.kinds[] | select(.statuses["202"]) | .statuses["200"] // 0, .statuses["202"]] | add' "$scratch/measured")
    until (($(sql "$1") - $2 >= wanted)) || ((SECONDS >= deadline)); do
        sleep 0.2
    done
}

# Sends a script when nobody measures: whatever is answered.
send_quietly() { # SCRIPT OPTION …
    send "$@" --once --clients "$clients" >/dev/null || die "a load failed: see above"
}

for_a_while() { send "$1" --seconds "$seconds" --clients "$clients"; } # SCRIPT

# At a share of what the arm did in a closed loop so far, in percent. With as many connections as a crowd
# has: what is to be seen is the service, not requests that wait for each other here.
at_share() { # ARM PERCENT SCRIPT OPTION …
    local rate
    rate=$(jq -s --arg arm "$1" --argjson percent "$2" '
        map(select(.arm == $arm) | ([.kinds[].answers] | add) / .seconds) | sort
        | .[length / 2 | floor] * $percent / 100 | round' "$scratch/results") || exit
    [ "$rate" -gt 0 ] || die "an open loop needs the arm $1 too"
    shift 2
    send "$1" --rate "$rate" --clients "$crowd" "${@:2}" | jq -c --argjson rate "$rate" '. + {$rate}'
}

rest() {
    sleep "$seconds"
    jq -cn --argjson seconds "$seconds" '{$seconds, sent: 0, broken: 0, loadCpuUs: 0, kinds: {}}'
}

# With the administrator's account: its queue is the run's own.
echo_through_queue() { # WINDOW
    env -u BOXOFFICE_SET -u BOXOFFICE_FAULT BOXOFFICE_SETTINGS="$var/etc/account-worker-0.settings" \
        BOXOFFICE_METRICS_PORT=0 BOXOFFICE_LOG_LEVEL=warn BOXOFFICE_AMQP_URL="$BOXOFFICE_AMQP_ADMIN_URL" \
        "$programs/http.d/echo" --seconds "$seconds" --window "$1"
}

remember_logs() {
    local file
    declare -gA log_starts=()
    for file in "$var"/log/*-worker-*.log; do
        log_starts[$file]=$(stat -c %s "$file")
    done
}

# Jobs in a batch by queue, as the workers' logs say; of all seat queues together.
batches() {
    local file
    for file in "${!log_starts[@]}"; do
        tail -c "+$((log_starts[$file] + 1))" "$file"
    done | sed -nE 's/.* event=batch queue=([a-z]+)[^ ]* .* jobs=([0-9]+) .*/\1 \2/p' | jq -Rnc '
        reduce (inputs | split(" ")) as [$queue, $jobs] ({}; .[$queue] += [$jobs | tonumber])
        | map_values(sort | {count: length, jobs: add, median: .[length / 2 | floor],
            p95: .[length * 0.95 | floor], max: last})'
}

wrong_balances() {
    sql 'SELECT COUNT(*) FROM cash c
        LEFT JOIN (SELECT user_id, SUM(amount) AS amount FROM cash_history GROUP BY user_id) h
        ON h.user_id = c.user_id WHERE c.balance <> COALESCE(h.amount, 0)'
}
