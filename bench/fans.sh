# shellcheck shell=bash
# Fans for bench/growth and bench/memory: users with tokens, and the scripts of requests that they send
# (bench/http.d/script.h). Sourced after bench/common.sh.

# Queue tokens of users, and until they are admitted when the line is open.
issue_tokens_to() { # USERS FILE, FILE OF TOKENS
    awk '{ printf "issue\tPOST\t/queue/issue\t\t{\"userId\":\"%s\"}\n", $0 }' "$1" >"$scratch/issue"
    "$programs/http.d/load" --port "${url##*:}" --clients 32 --answers "$scratch/answers" "$scratch/issue" \
        >/dev/null && jq -re .data.token "$scratch/answers" >"$2" || die "tickets cannot be had"
}

await_admission() { # FILE OF TOKENS
    local token deadline=$((SECONDS + 30))
    token=$(tail -n 1 "$1")
    until curl -sS -H "queue-token: $token" "$url/queue/status" | jq -e '.data.status == "ACTIVE"' >/dev/null; do
        ((SECONDS < deadline)) || die "nobody is admitted"
        sleep 0.1
    done
}

# A concert with as many schedules of 50 seats as asked for.
make_schedules() { # COUNT
    sql "INSERT INTO concert (name, created_at, updated_at) VALUES ('bench', SYSDATE(6), SYSDATE(6));
        SET @concert = LAST_INSERT_ID();
        INSERT INTO concert_schedule (concert_id, total_seats, open_at, close_at, booking_start_at, booking_end_at,
            created_at, updated_at) SELECT @concert, 50, SYSDATE(6) + INTERVAL 100 DAY,
            SYSDATE(6) + INTERVAL 101 DAY, SYSDATE(6) - INTERVAL 1 DAY, SYSDATE(6) + INTERVAL 99 DAY, SYSDATE(6),
            SYSDATE(6) FROM seq_1_to_$1;
        INSERT INTO seat (concert_schedule_id, seat_number, price, created_at, updated_at)
            SELECT s.id, seq, 1000, SYSDATE(6), SYSDATE(6) FROM concert_schedule s, seq_1_to_50
            WHERE s.concert_id = @concert ORDER BY s.id, seq" || die "seats could not be made"
}

# Until fronts know the newest schedule, which they look for now and then.
await_schedules() { # FILE OF TOKENS
    local schedule deadline=$((SECONDS + 30))
    schedule=$(sql 'SELECT MAX(id) FROM concert_schedule') || exit
    until curl -sSf -o /dev/null -H "queue-token: $(head -n 1 "$1")" \
        "$url/concert/seats?concertScheduleId=$schedule" 2>/dev/null; do
        ((SECONDS < deadline)) || die "no front knows schedule $schedule"
        sleep 0.1
    done
}

seats_on_sale() { sql 'SELECT COUNT(*) FROM seat'; }
some_seats() { sql "SELECT id FROM seat ORDER BY id DESC LIMIT $1"; } # COUNT

# Scripts: a request a line. -----------------------------------------------------------------------

charges() { # FILE OF USERS
    awk '{ printf "charge\tPOST\t/user/charge\t\t{\"userId\":\"%s\",\"amount\":1000}\n", $0 }' "$1"
}

polls() { awk '{ printf "poll\tGET\t/queue/status\t%s\t\n", $0 }' "$1"; } # FILE OF TOKENS

seat_maps() { # FILE OF TOKENS
    local schedule
    schedule=$(sql 'SELECT MAX(id) FROM concert_schedule') || exit
    awk -v schedule="$schedule" \
        '{ printf "seat map\tGET\t/concert/seats?concertScheduleId=%s\t%s\t\n", schedule, $0 }' "$1"
}

# Each takes a seat of its own, then all let go: between the two of one fan all others have their turn.
holds() { # FILE OF TOKENS
    seat_calls reservation "$1" && releases "$1"
}

releases() { seat_calls reservation/cancel "$1"; } # FILE OF TOKENS

seat_calls() { # PATH, FILE OF TOKENS
    paste "$2" <(some_seats "$(wc -l <"$2")") |
        awk -F '\t' -v path="/$1" '{ printf "reserve, cancel\tPOST\t%s\t%s\t{\"seatId\":%s}\n", path, $1, $2 }'
}

# Who has a ticket asks for it again: a job of the gate that lets the line as it is.
resumes() { # FILE OF USERS
    awk '{ printf "resume\tPOST\t/queue/issue\t\t{\"userId\":\"%s\",\"resume\":true}\n", $0 }' "$1"
}
