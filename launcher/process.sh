# shellcheck shell=bash
# Processes of an instance: VAR/run/NAME.pid, and beside it when that process was born, so that a
# recycled pid is never taken for ours.

# Sets birth to when a process was born (clock ticks since boot); false when it is gone or a zombie.
birth_of() { # PID
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra stat <<<"${stat##*) }"
    birth=${stat[19]}
    [[ ${stat[0]} != [ZX] ]]
}

# Sets pid to that of a process of ours that runs.
pid_of() { # NAME
    local birth recorded
    { read -r pid <"$var/run/$1.pid" && read -r recorded <"$var/run/$1.birth"; } 2>/dev/null || return 1
    birth_of "$pid" && [ "$birth" = "$recorded" ]
}

alive() { # NAME
    local pid
    pid_of "$1"
}

# Starts a program in a session of its own, its output appended to its log. The environment
# variables of the launcher are not passed on: those given as NAME=VALUE words are.
spawn() { # NAME [VARIABLE=VALUE …] PROGRAM ARGUMENT …
    local name=$1 log=$var/log/$1.log pid birth= files
    shift
    clear_remains "$name"
    [ -e "$log" ] || : >"$log"
    stat -c %s "$log" >"$var/run/$name.log-start"
    files=$(open_files)
    (
        instance_unlock
        unset "${!BOXOFFICE_@}"
        ulimit -n "$files"
        exec setsid env "$@" </dev/null >>"$log" 2>&1
    ) &
    pid=$!
    birth_of "$pid"
    printf '%s\n' "$birth" >"$var/run/$name.birth"
    printf '%s\n' "$pid" >"$var/run/$name.pid"
}

# Descriptors for each process: as many as allowed, but no more than sense.
open_files() {
    local hard
    hard=$(ulimit -Hn)
    [ "$hard" != unlimited ] && [ "$hard" -lt 65536 ] || hard=65536
    printf '%s\n' "$hard"
}

# A leader killed hard may leave children (nginx's) on its ports. They are its session: as long as
# one lives the kernel gives that number to nobody else.
clear_remains() { # NAME
    local pid birth
    { read -r pid <"$var/run/$1.pid"; } 2>/dev/null || return 0
    [ -e "/proc/$pid" ] && birth_of "$pid" || kill -KILL -- "-$pid" 2>/dev/null
    rm -f "$var/run/$1.pid" "$var/run/$1.birth"
}

# What a process wrote to its log since it was started.
log_since_start() { # NAME
    local start=0
    { read -r start <"$var/run/$1.log-start"; } 2>/dev/null
    tail -c "+$((start + 1))" "$var/log/$1.log"
}

# Waits until a command says that a process answers; shows its log when it does not.
wait_until() { # NAME SECONDS COMMAND …
    local name=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@"; do
        alive "$name" || fail_with_log "$name" "$name ended while starting"
        ((SECONDS < deadline)) || fail_with_log "$name" "$name does not answer"
        sleep 0.05
    done
}

fail_with_log() { # NAME MESSAGE
    note "The last of $var/log/$1.log:"
    log_since_start "$1" | tail -n 25 >&2
    die "$2: see above"
}

port_answers() { # PORT [ADDRESS]
    (exec 3<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null
}

# Refuses to start a server on a port that somebody else serves.
port_must_be_free() { # PORT WHAT [ADDRESS]
    ! port_answers "$1" "${3:-}" ||
        die "port $1 ($2) is in use by another program: set BOXOFFICE_PORT_BASE to a free range"
}

# MySQL that is told to end lets go of the commits that wait for a replica which is away: they would be answered.
signal_to_end() { # NAME
    if [[ $1 = mariadb* ]] && pair_is_on && database_is_mysql; then echo KILL; else echo TERM; fi
}

# TERM to all, then waits for each; KILL to those that outlast the time.
stop_processes() { # SECONDS NAME …
    local deadline=$((SECONDS + $1)) name pid
    shift
    for name in "$@"; do
        # CONT as well: a stopped process takes no TERM.
        pid_of "$name" && kill "-$(signal_to_end "$name")" "$pid" 2>/dev/null && kill -CONT "$pid" 2>/dev/null
    done
    for name in "$@"; do
        while pid_of "$name"; do
            if ((SECONDS >= deadline)); then
                note "$name does not end by itself: killed"
                kill -KILL -- "-$pid" 2>/dev/null
            fi
            sleep 0.05
        done
        clear_remains "$name"
    done
}
