# shellcheck shell=bash
# What takes turns. Sourced by bench/http.

# shellcheck disable=SC2034 # bench/http reads it
readonly -a arms=(idle hello static charge charge-1000 pessimistic pessimistic-1000 echo echo-one charge-one
    open-charge-50 open-charge-80 hello-get poll poll-admitted seat-map issue hello-crowd one-seat contention
    reserve cancel pay mixed open-mixed-50 open-mixed-80)

readonly readers=100 # tokens that polls and maps take turns with

run_arms() { # TURN
    turn=$1
    run_simple_arms
    ! is_wanted hello-get poll poll-admitted seat-map || run_readers
    ! is_wanted hello-crowd one-seat contention issue reserve cancel pay || run_sale
    ! is_wanted mixed open-mixed-50 open-mixed-80 || run_mixed mixed none
    ! is_wanted open-mixed-50 || run_mixed open-mixed-50 50
    ! is_wanted open-mixed-80 || run_mixed open-mixed-80 80
}

run_simple_arms() {
    ! is_wanted idle || measure idle none rest
    ! is_wanted hello || measure hello none for_a_while hello-many
    ! is_wanted static || measure static none for_a_while static
    ! is_wanted charge || measure charge charges for_a_while charge-one
    ! is_wanted charge-1000 || measure charge-1000 charges for_a_while charge-many
    ! is_wanted pessimistic || measure pessimistic charges for_a_while pessimistic-one
    ! is_wanted pessimistic-1000 || measure pessimistic-1000 charges for_a_while pessimistic-many
    ! is_wanted echo || measure echo none echo_through_queue 64
    ! is_wanted echo-one || measure echo-one none echo_through_queue 1
    ! is_wanted charge-one || measure charge-one charges send charge-many --seconds "$seconds"
    ! is_wanted open-charge-50 || measure open-charge-50 charges at_share charge-1000 50 charge-many --seconds "$seconds"
    ! is_wanted open-charge-80 || measure open-charge-80 charges at_share charge-1000 80 charge-many --seconds "$seconds"
}

# Who waits polls while nobody is let in.
run_readers() {
    make_fans readers "$readers"
    register_users "$readers" >waiters.users
    ctl gate pause
    issue_script <waiters.users >waiters.issue
    answers .token waiters.issue >waiters.tokens
    script poll GET /bench/hello @ '' <waiters.tokens >hello-get
    script poll GET /queue/status @ '' <waiters.tokens >poll
    script poll GET /queue/status @ '' <readers.tokens >poll-admitted
    script map GET "/concert/seats?concertScheduleId=$(schedule_of "$(head -n 1 readers.seats)")" @ '' \
        <readers.tokens >seat-map
    for arm in hello-get poll poll-admitted seat-map; do
        ! is_wanted "$arm" || measure "$arm" none for_a_while "$arm"
    done
    script leave POST /queue/leave @ '' <waiters.tokens >leave
    send_quietly leave
    ctl gate open
    send_home readers
}

all_at_once() { send "$1" --once --clients "$crowd"; } # SCRIPT

all_once() { send "$1" --once --clients "$clients" "${@:2}"; } # SCRIPT OPTION …

# The same fans from the line to their seats. Each call is one arm, and over when all are answered.
run_sale() {
    make_fans_without_ticket sale "$fans"
    issue_script <sale.users >sale.issue
    measure issue tickets all_once sale.issue --answers issued
    jq -r 'select(.success).data.token' issued >sale.tokens
    let_in sale
    if is_wanted hello-crowd one-seat; then
        head -n "$crowd" sale.tokens | awk -v seat="$(head -n 1 sale.seats)" '{ print $0, seat }' >crowd.pairs
        script_of_seats reserve /bench/hello <crowd.pairs >hello-crowd
        script_of_seats reserve /reservation <crowd.pairs >one-seat
        measure hello-crowd none all_at_once hello-crowd
        measure one-seat holds all_at_once one-seat
        cancel_all crowd
    fi
    if is_wanted contention; then
        awk -v most="$seats_of_schedule" '
            FNR == NR { if (NR <= most) { seat[NR - 1] = $0; seats = NR } next }
            { print $0, seat[(FNR - 1) % seats] }' sale.seats sale.tokens >contention.pairs
        script_of_seats reserve /reservation <contention.pairs >contention
        measure contention holds all_once contention
        cancel_all contention
    fi
    script_of_seats reserve /reservation <sale.pairs >reserve
    script_of_seats cancel /reservation/cancel <sale.pairs >cancel
    script_of_seats pay /payment <sale.pairs >pay
    if is_wanted reserve cancel; then
        measure reserve holds all_once reserve
        measure cancel cancelled all_once cancel
    fi
    if is_wanted pay; then
        send_quietly reserve
        measure pay payments all_once pay
    fi
    send_home sale
}

cancel_all() { # NAME
    script_of_seats cancel /reservation/cancel <"$1.pairs" >"$1.cancel"
    send_quietly "$1.cancel"
}

# Of twenty requests twelve are polls, three look at the seats, two join the line, two reserve, and one pays
# for what was reserved at least a hundred reservations ago.
mixed_script() { # FANS' PAIRS, NEWCOMERS, SCHEDULE
    awk -v OFS='\t' -v schedule="$3" -v fans="$(wc -l <"$1")" '
        FNR == NR { token[NR - 1] = $1; seat[NR - 1] = $2; next }
        { user[FNR - 1] = $0 }
        function seats(kind, path, i) { print kind, "POST", path, token[i], "{\"seatId\":" seat[i] "}" }
        # One who does not pay: a payment ends its ticket.
        function reader(i) { return token[(2 * i + 1) % (fans - fans % 2)] }
        END {
            gap = fans / 2 < 100 ? int(fans / 4) * 2 : 100
            for (i = 0; i < fans; i++) {
                for (k = 0; k < 6; k++)
                    print "poll", "GET", "/queue/status", reader(i * 6 + k), ""
                for (k = 0; k < 1 + i % 2; k++)
                    print "map", "GET", "/concert/seats?concertScheduleId=" schedule, reader(i * 7 + k), ""
                print "issue", "POST", "/queue/issue", "", "{\"userId\":\"" user[i] "\"}"
                seats("reserve", "/reservation", i)
                if (i % 2 == 0 && i >= gap)
                    seats("pay", "/payment", i - gap)
            }
        }' "$1" "$2"
}

run_mixed() { # ARM PERCENT of what the mix did in a closed loop; or none
    make_fans mixed "$fans"
    register_users "$fans" >newcomers
    mixed_script mixed.pairs newcomers "$(schedule_of "$(head -n 1 mixed.seats)")" >mixed
    if [ "$2" = none ]; then
        measure "$1" all all_once mixed --answers mixed.answers
    else
        measure "$1" all at_share mixed "$2" mixed --answers mixed.answers
    fi
    # Newcomers leave with the others; their schedule is theirs.
    jq -r 'select(.success).data | objects | .token // empty' mixed.answers >>mixed.tokens
    send_home mixed
}
