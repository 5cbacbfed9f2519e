# shellcheck shell=bash
# Fans for bench/growth and bench/memory: users with tokens, and the scripts of requests that they send
# (bench/http.d/script.h). Sourced after bench/common.sh.

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

newest_schedule() { sql 'SELECT MAX(id) FROM concert_schedule'; }
seats_on_sale() { sql 'SELECT COUNT(*) FROM seat'; }
some_seats() { sql "SELECT id FROM seat ORDER BY id DESC LIMIT $1"; } # COUNT

# Scripts: a request a line. -----------------------------------------------------------------------

seat_maps() { # FILE OF TOKENS
    local schedule
    schedule=$(newest_schedule) || exit
    script "seat map" GET "/concert/seats?concertScheduleId=$schedule" @ '' <"$1"
}

# Each takes a seat of its own, then all let go: between the two of one fan all others have their turn.
holds() { # FILE OF TOKENS
    seat_calls reservation "$1" && releases "$1"
}

releases() { seat_calls reservation/cancel "$1"; } # FILE OF TOKENS

seat_calls() { # PATH, FILE OF TOKENS
    paste -d ' ' "$2" <(some_seats "$(wc -l <"$2")") | script_of_seats "reserve, cancel" "/$1"
}

# Who has a ticket asks for it again: a job of the gate that lets the line as it is.
resumes() { # FILE OF USERS
    script resume POST /queue/issue '' '{"userId":"@","resume":true}' <"$1"
}
