# shellcheck shell=bash
# Our own programs: fronts and workers, each with a settings file of its own.

readonly -a kinds=(front seat-worker account-worker gate-worker)

# front -> fronts, seat-worker -> seat_workers. Sets count to how many of them there are to be.
kind_count() { # KIND
    local name=${1//-/_}s
    count=${settings[$name]-${launcher_settings[$name]}}
}

is_program() { [[ " ${kinds[*]} " == *" ${1%-*} "* && $1 =~ -[0-9]+$ ]]; } # NAME

# The names of all fronts and workers that should run.
program_names() {
    local kind index count
    for kind in "${kinds[@]}"; do
        kind_count "$kind"
        for ((index = 0; index < count; index++)); do
            printf '%s-%d\n' "$kind" "$index"
        done
    done
}

# The port of a process's metrics: from the tenth of the instance's ports on, four for each index, one
# of each kind. It stays the same however many of the other kinds there are.
program_metrics_port() { # NAME
    local kind=${1%-*} position=0
    while [ "${kinds[position]}" != "$kind" ]; do
        ((position += 1))
    done
    printf '%s\n' "$((port_base + 10 + 4 * ${1##*-} + position))"
}

program_path() { printf '%s/boxoffice-%s\n' "$(build_folder)" "$1"; } # KIND

# Runs one of our tools by its name with settings of the instance.
run_program() { # SETTINGS NAME ARGUMENT …
    local file=$var/etc/$1.settings program
    program=$(build_folder)/$2
    shift 2
    (
        unset "${!BOXOFFICE_@}"
        BOXOFFICE_SETTINGS=$file exec "$program" "$@"
    )
}

# What the launcher knows, then the settings of the instance, which win, without the launcher's own.
# Given to the process as a file of mode 0600: an environment is easier to look at.
program_settings() { # NAME ACCOUNT [NAME VALUE] …
    local name
    printf '%s=%s\n' name "$1" amqp_url "$(amqp_url "$2")" \
        mysql_database "$database" mysql_user "boxoffice_$2" mysql_password "$(secret "mysql-$2")"
    if tls_is_on; then
        printf '%s=%s\n' mysql_host "$(database_hosts)" mysql_tls 1 tls_ca "$var/tls/ca.pem"
    elif pair_is_on; then
        printf '%s=%s\n' mysql_host "$(database_hosts)"
    else
        printf '%s=%s\n' mysql_socket "$(mariadb_socket mariadb)"
    fi
    ! rabbitmq_is_cluster || program_cluster_settings "$1" "$2"
    shift 2
    [ $# -eq 0 ] || printf '%s=%s\n' "$@"
    for name in "${!settings[@]}"; do
        [ -n "${launcher_settings[$name]+ours}" ] || printf '%s=%s\n' "$name" "${settings[$name]}"
    done
}

# Each server's address, commas between.
database_hosts() {
    local name
    for name in $(mariadb_names); do
        if tls_is_on; then printf 'localhost:%s\n' "$(mariadb_port "$name")"; else mariadb_socket "$name"; fi
    done | paste -sd ,
}

# Each begins at the node of its own number. A front notices soon that its node is away: it does nothing
# for long, while a worker that waits for its database says nothing to its broker.
program_cluster_settings() { # NAME ACCOUNT
    [[ ! $1 =~ -([0-9]+)$ ]] || printf '%s=%s\n' amqp_first "${BASH_REMATCH[1]}"
    [ "$2" != front ] || printf '%s=%s\n' amqp_heartbeat_s 2
}

# An importer knows the broker alone.
import_settings() {
    printf '%s=%s\n' name import log_level warn amqp_url "$(amqp_url importer)"
    ! tls_is_on || printf '%s=%s\n' tls_ca "$var/tls/ca.pem"
}

# True when the file changed.
program_write_settings() { # NAME
    local kind=${1%-*} count
    if [ "$kind" = front ]; then
        program_settings "$1" front front_socket "$sockets/$1.sock" events_socket "$sockets/nginx.sock" \
            token_keys "k1:$(secret token-key)" metrics_port "$(program_metrics_port "$1")"
    else
        kind_count "$kind"
        program_settings "$1" worker worker_index "${1##*-}" worker_count "$count" \
            metrics_port "$(program_metrics_port "$1")"
    fi | write_changed "$var/etc/$1.settings"
}

# Starts a program that does not run; one that runs with old settings or an old binary is replaced.
program_start() { # NAME
    local changed=
    program_write_settings "$1" && changed=yes
    if alive "$1"; then
        [ -n "$changed" ] || program_is_old "$1" || return 0
        stop_processes 15 "$1"
    fi
    program_spawn "$1"
}

# A program that was built again since it started: the linker wrote a new file in place of its own.
program_is_old() { # NAME
    local exe pid
    pid_of "$1" && exe=$(readlink "/proc/$pid/exe")
    [ "$exe" = "$(program_path "${1%-*}") (deleted)" ]
}

program_spawn() { # NAME
    local -a wrap variables=("BOXOFFICE_SETTINGS=$var/etc/$1.settings")
    read -ra wrap <<<"${BOXOFFICE_WRAP:-}"
    [ -z "${BOXOFFICE_FAULT:-}" ] || variables+=("BOXOFFICE_FAULT=$BOXOFFICE_FAULT")
    spawn "$1" "${variables[@]}" "${wrap[@]}" "$(program_path "${1%-*}")"
}

# Fronts and workers say in their log that they serve.
program_is_ready() { grep -qE ' event=ready( |$)' < <(log_since_start "$1"); } # NAME

program_wait() { wait_until "$1" 60 program_is_ready "$1"; } # NAME

# Stops fronts and workers beyond the numbers that are set.
programs_stop_surplus() {
    local file name
    local -a surplus=()
    for file in "$var"/run/*-[0-9]*.pid; do
        name=$(basename "$file" .pid)
        is_program "$name" && ! program_names | grep -qxF "$name" && surplus+=("$name")
    done
    [ ${#surplus[@]} -eq 0 ] || stop_processes 15 "${surplus[@]}"
}
