# shellcheck shell=bash
# Users, tickets, money and seats for a run, all made by the service's own calls. Sourced by bench/http.

readonly price=1000 seats_of_schedule=50

# Sends each once and prints what its answer has; all must be granted.
answers() { # FILTER SCRIPT
    local lines
    lines=$(wc -l <"$2")
    send_quietly "$2" --answers "$scratch/answers"
    jq -r "select(.success).data$1" "$scratch/answers" >"$scratch/taken"
    [ "$(wc -l <"$scratch/taken")" = "$lines" ] ||
        die "not all of $lines requests were granted (see --help for the limits on joining): $(head -n 1 "$scratch/answers")"
    cat "$scratch/taken"
}

register_users() { # COUNT
    seq "$1" | script register POST /user '' '{"name":"bench"}' >"$scratch/register"
    answers .userId "$scratch/register"
}

# Money for one seat each.
give_money() { # USERS
    ((imports += 1))
    awk -v price="$price" -v OFS=, 'BEGIN { print "reference,user_id,amount" } { print NR, $0, price }' \
        "$1" >"$scratch/charges.csv"
    env -u BOXOFFICE_SET -u BOXOFFICE_FAULT BOXOFFICE_SETTINGS="$var/etc/import.settings" \
        "$(build_folder)/boxoffice-import" --quiet --json --source "$run-$imports" "$scratch/charges.csv" \
        >"$scratch/imported" || die "the charges were not imported: $(<"$scratch/imported")"
}

# Schedules of fifty seats on sale, as many as it takes; prints the seats' ids.
make_seats() { # COUNT
    ((concerts += 1))
    jq -n --arg name "$run-$concerts" --argjson seats "$1" --argjson each "$seats_of_schedule" --argjson price "$price" '
        def at($s): now + $s | strftime("%Y-%m-%d %H:%M");
        {concerts: [{$name, schedules: [range(0; $seats / $each) | . as $i
            | {open: at(30 * 86400 + $i * 60), close: at(31 * 86400 + $i * 60), zone: "UTC",
               bookingStart: at(-3600), bookingEnd: at(86400),
               seats: [{numbers: "1-\($each)", $price}]}]}]}' |
        "$root/boxoffice" ctl --json import - >/dev/null || die "the seats were not made"
    sql "SELECT s.id FROM seat s JOIN concert_schedule h ON h.id = s.concert_schedule_id
        JOIN concert c ON c.id = h.concert_id WHERE c.name = '$run-$concerts' ORDER BY s.id LIMIT $1"
}

schedule_of() { sql "SELECT concert_schedule_id FROM seat WHERE id = $1"; } # SEAT

# Fans with a ticket that is admitted, money and a seat each: files NAME.users, .tokens, .seats, and
# .pairs of the last two.
make_fans() { # NAME COUNT
    make_fans_without_ticket "$1" "$2"
    issue_script <"$1.users" >"$1.issue"
    answers .token "$1.issue" >"$1.tokens"
    let_in "$1"
}

make_fans_without_ticket() { # NAME COUNT
    register_users "$2" >"$1.users"
    give_money "$1.users"
    make_seats "$2" >"$1.seats"
}

let_in() { # NAME
    await_admitted "$1.tokens"
    await_schedule "$(head -n 1 "$1.tokens")" "$(schedule_of "$(tail -n 1 "$1.seats")")"
    paste -d ' ' "$1.tokens" "$1.seats" >"$1.pairs"
}

# Their holds end, and with them their tickets; what is left of their schedules is sold no more: the next
# round finds as few of both as this one.
send_home() { # NAME
    script_of_seats cancel /reservation/cancel <"$1.pairs" >"$1.cancel"
    send_quietly "$1.cancel"
    script leave POST /queue/leave @ '' <"$1.tokens" >"$1.leave"
    send_quietly "$1.leave"
    sql "UPDATE concert_schedule h JOIN concert c ON c.id = h.concert_id SET h.booking_end_at = SYSDATE(6)
        WHERE c.name LIKE '$run-%' AND h.booking_end_at > SYSDATE(6)" || exit
}

# Everybody is let in for the length of a run.
set_policy() {
    policy=$("$root/boxoffice" ctl --json gate status) || exit
    undo+=(restore_policy)
    ctl gate set max_active=1000000 window_limit=0 active_s=3600 show_up_s=0 quiet_s=0 grace_s=0
    ctl gate open
}

restore_policy() {
    [ -n "$policy" ] || return 0
    # Names and numbers are words.
    # shellcheck disable=SC2046
    ctl gate set $(jq -r '["max_active", "window_limit", "window_s", "active_s", "show_up_s", "quiet_s", "grace_s"][] as $name
        | "\($name)=\(.[$name])"' <<<"$policy")
    case $(jq -r .state <<<"$policy") in
    open) ctl gate open ;;
    paused) ctl gate pause ;;
    closed) ctl gate close "$(jq -r .reason <<<"$policy")" --yes ;;
    esac
    policy=
}

build_world() {
    run=bench-$(date +%s)-$$
    imports=0
    concerts=0
    policy=
    set_policy
    bench_start hello
    bench_start pessimistic BOXOFFICE_FRONT_DB_CONNECTIONS="$connections"
    bench_serve hello pessimistic
    cd "$scratch" || exit
    : >"$scratch/results"
    register_users "$users" >users
    head -n 1 users >user
    # In an order of their own: batches and balances are to have nothing to do with each other.
    for name in hello pessimistic; do
        shuf -r -n 50000 users | script charge POST "/bench/$name" '' '{"userId":"@","amount":1000}' >"$name-many"
    done
    script charge POST /bench/pessimistic '' '{"userId":"@","amount":1000}' <user >pessimistic-one
    shuf -r -n 50000 users | script charge POST /user/charge '' '{"userId":"@","amount":1000}' >charge-many
    script charge POST /user/charge '' '{"userId":"@","amount":1000}' <user >charge-one
    echo | script static GET /bench/static '' '' >static
}
