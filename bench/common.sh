# shellcheck shell=bash
# What the benches share: the instance they load, the programs they compare it with, behind the same
# nginx. Sourced after launcher/common.sh and launcher/build.sh, with root set.

bench_clients=256
bench_packages=() # that a bench needs beside those of the service

# Finds a running instance and takes it up in variables; everything started from here on ends with
# the bench.
bench_open() {
    local assignments
    packages_need "${packages_to_run[@]}" "${bench_packages[@]}"
    assignments=$("$root/boxoffice" env) || exit
    eval "$assignments"
    var=$BOXOFFICE_VAR
    url=$BOXOFFICE_URL
    curl -sf --max-time 5 -o /dev/null "$url/readyz" || die "the service at $url is not ready: ./boxoffice up"
    build bench-programs
    programs=$(build_folder)/bench
    scratch=$(mktemp -d /tmp/boxoffice-bench.XXXXXX) || die "cannot create a temporary folder"
    started=()
    started_names=()
    undo=()
    trap bench_close EXIT
    trap 'exit 1' HUP INT TERM
}

bench_close() {
    local step pid
    for step in "${undo[@]}"; do
        "$step"
    done
    for pid in "${started[@]}"; do
        kill -TERM "$pid" 2>/dev/null && wait "$pid"
    done
    rm -f "$var"/etc/nginx-{http,server}-bench.conf
    nginx_reload
    rm -rf "$scratch"
}

# Starts a program to compare with, with as many threads as a front has.
bench_start() { # NAME [VARIABLE=VALUE …]
    local name=$1
    shift
    (
        local files
        files=$(ulimit -Hn)
        ulimit -n "$files"
        unset BOXOFFICE_SET BOXOFFICE_FAULT
        export BOXOFFICE_SETTINGS=$var/etc/account-worker-0.settings
        export BOXOFFICE_NAME=bench-$name BOXOFFICE_FRONT_SOCKET=$scratch/$name.sock
        exec env "$@" "$programs/${name}_fcgi" </dev/null >"$scratch/$name.log" 2>&1
    ) &
    started+=($!)
    started_names+=("$name")
}

# Gives the programs places behind the same nginx, with the same kept connections and limits as the
# fronts have: /bench/NAME; and nginx a file of its own, as long as the empty answer: /bench/static.
bench_serve() { # NAME …
    local name keepalive limit
    keepalive=$(sed -nE 's/^\s*(keepalive [0-9]+;).*/\1/p' "$var/etc/nginx.conf")
    limit=$(sed -nE 's/^\s*(limit_conn [a-z_]+ [0-9]+;).*/\1/p' "$var/etc/nginx.conf" | head -n 2)
    for name in "$@"; do
        printf 'upstream bench-%s { server unix:%s max_fails=0; %s keepalive_requests 1000000; }\n' \
            "$name" "$scratch/$name.sock" "$keepalive"
    done >"$var/etc/nginx-http-bench.conf"
    for name in "$@"; do
        printf 'location = /bench/%s { %s fastcgi_pass bench-%s; }\n' "$name" "${limit//$'\n'/ }" "$name"
    done >"$var/etc/nginx-server-bench.conf"
    printf '{"success":true,"data":{}}' >"$scratch/static.json"
    printf 'location = /bench/static { alias %s; }\n' "$scratch/static.json" >>"$var/etc/nginx-server-bench.conf"
    # nginx's workers are another user when it was started by root.
    chmod 711 "$scratch"
    nginx_reload
    for name in "$@"; do
        bench_await "$name"
    done
}

nginx_reload() { kill -HUP "$(<"$var/run/nginx.pid")"; }

# An empty POST: whatever the program says to it, it is not nginx that says it.
bench_await() { # NAME
    local deadline=$((SECONDS + 20)) type
    until type=$(curl -s -o "$scratch/await" -w '%{http_code}' -d '' "$url/bench/$1") &&
        [ "$type" != 404 ] && [ "$type" != 503 ]; do
        ((SECONDS < deadline)) || { cat "$scratch/$1.log" >&2 && die "$1 does not answer: see above"; }
        sleep 0.1
    done
}

# Scripts of requests (bench/http.d/script.h). ------------------------------------------------------

# Prints the request of each line of a file, which is put where token or body has "@".
script() { # KIND METHOD PATH TOKEN BODY <LINES
    awk -v OFS='\t' -v kind="$1" -v method="$2" -v path="$3" -v token="$4" -v body="$5" '
        { line = $0; with = body; as = token; sub(/@/, line, with); sub(/@/, line, as)
            print kind, method, path, as, with }'
}

# The requests of lines with a token and a seat.
script_of_seats() { # KIND PATH <"TOKEN SEAT" …
    awk -v OFS='\t' -v kind="$1" -v path="$2" '{ print kind, "POST", path, $1, "{\"seatId\":" $2 "}" }'
}

issue_script() { script issue POST /queue/issue '' '{"userId":"@"}'; } # <USERS
charge_script() { script charge POST /user/charge '' '{"userId":"@","amount":1000}'; } # <USERS
poll_script() { script poll GET /queue/status @ ''; } # <TOKENS

# Sends the requests of a script; prints what bench/http.d/load.c does.
send() { # SCRIPT OPTION …
    local script=$1
    shift
    (
        ulimit -n "$(ulimit -Hn)"
        exec "$programs/http.d/load" --port "${url##*:}" "$@" "$script"
    )
}

# Sends a script of one kind over and over for so long; prints a line of JSON. What was not answered 200 was
# refused.
load() { # SECONDS SCRIPT
    send "$2" --seconds "$1" --clients "$bench_clients" | jq -ce '
        .seconds as $seconds | .broken as $broken | .kinds[] | (.answers - (.statuses["200"] // 0)) as $refused
        | {answers, $refused, $broken, $seconds, p50Ms, p99Ms}' || die "a load failed: see above"
}

# Each user's queue token, in some order.
issue_tokens() { # USERS FILE, FILE OF TOKENS
    issue_script <"$1" >"$scratch/issue"
    send "$scratch/issue" --clients 32 --answers "$scratch/answers" >/dev/null &&
        jq -re .data.token "$scratch/answers" >"$2" || die "tickets cannot be had (see --help for the limits on joining)"
}

# Until the last one is admitted, and so all before it.
await_admitted() { # TOKENS
    local deadline=$((SECONDS + 30)) token
    token=$(tail -n 1 "$1")
    until curl -sS -H "queue-token: $token" "$url/queue/status" | jq -e '.data.status == "ACTIVE"' >/dev/null; do
        ((SECONDS < deadline)) || die "nobody is admitted: does a gate worker run?"
        sleep 0.05
    done
}

# Until a front knows a schedule, which it looks for now and then.
await_schedule() { # TOKEN SCHEDULE
    local deadline=$((SECONDS + 30))
    until curl -sf -o /dev/null -H "queue-token: $1" "$url/concert/seats?concertScheduleId=$2"; do
        ((SECONDS < deadline)) || die "no front knows schedule $2"
        sleep 0.05
    done
}

# The instance. --------------------------------------------------------------------------------------

# CPU time since their start of all processes of the instance and of the programs to compare with, in
# microseconds, as one JSON object by name. What a process started and left in its session is its own.
bench_cpu() {
    local index file
    {
        for file in "$var"/run/*.pid; do
            printf 'session %s %s\n' "$(<"$file")" "$(basename "$file" .pid)"
        done
        for index in "${!started[@]}"; do
            printf 'process %s %s\n' "${started[index]}" "${started_names[index]}"
        done
        # One that ends meanwhile is left out, and is no failure.
        cat /proc/[0-9]*/stat 2>/dev/null || true
    } | awk -v per_s="$(getconf CLK_TCK)" '
        $1 == "session" || $1 == "process" { name[$1, $2] = $3; used[$3] += 0; next }
        {
            pid = $1
            sub(/^.*\) /, "")
            if (("process", pid) in name)
                used[name["process", pid]] += $12 + $13
            else if (("session", $4) in name)
                used[name["session", $4]] += $12 + $13
        }
        END { for (each in used) printf "%s %.0f\n", each, used[each] * 1e6 / per_s }' |
        jq -Rnc '[inputs | split(" ") | {(.[0]): (.[1] | tonumber)}] | add'
}

sql() { # STATEMENT
    MYSQL_PWD=$BOXOFFICE_MYSQL_ADMIN_PASSWORD mariadb --no-defaults --socket="$BOXOFFICE_MYSQL_SOCKET" \
        --user="$BOXOFFICE_MYSQL_ADMIN_USER" --batch --skip-column-names -e "$1" "$BOXOFFICE_MYSQL_DATABASE"
}

questions() { sql "SHOW GLOBAL STATUS LIKE 'Questions'" | cut -f 2; }

ctl() { "$root/boxoffice" ctl "$@" >/dev/null || die "boxofficectl $* failed: see above"; }

# Users of the bench's own, by the thousand, each with an account: registering is not what is measured.
make_users() { # COUNT FILE
    sql "INSERT INTO user (uuid, name, job_id, created_at, updated_at)
        SELECT UNHEX(REPLACE(UUID(), '-', '')), 'bench', UNHEX(REPLACE(UUID(), '-', '')), SYSDATE(6),
            SYSDATE(6) FROM seq_1_to_$1" &&
        sql "INSERT INTO cash (user_id, balance, created_at, updated_at)
            SELECT id, 0, SYSDATE(6), SYSDATE(6) FROM (SELECT id FROM user ORDER BY id DESC LIMIT $1) u" &&
        last_users "$1" >"$2" || die "users could not be made"
}

# Those that were made last, one a line.
last_users() { # COUNT
    sql "SELECT LOWER(CONCAT_WS('-', SUBSTR(HEX(uuid), 1, 8), SUBSTR(HEX(uuid), 9, 4),
            SUBSTR(HEX(uuid), 13, 4), SUBSTR(HEX(uuid), 17, 4), SUBSTR(HEX(uuid), 21)))
        FROM user ORDER BY id DESC LIMIT $1"
}

# Whoever waits leaves at once: none of them will ever call.
clear_line() {
    sql "START TRANSACTION; SELECT out_seq INTO @seq FROM gate_state WHERE id = 1 FOR UPDATE;
        SET @first = @seq;
        UPDATE waiting_queue SET status = 'LEFT', out_seq = (@seq := @seq + 1), aside_until = NULL
            WHERE status IN ('WAITING', 'ASIDE') ORDER BY id;
        UPDATE gate_state SET out_seq = @seq, waiting = waiting - (@seq - @first) WHERE id = 1; COMMIT"
}

# A whole number of at least 1 given to an option.
option_number() { # OPTION VALUE
    [[ $2 =~ ^[1-9][0-9]{0,6}$ ]] || die "$1 takes a number from 1"
    printf '%s\n' "$2"
}
