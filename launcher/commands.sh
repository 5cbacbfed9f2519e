# shellcheck shell=bash
# The commands.

names_known() {
    printf '%s\n' epmd
    mariadb_names
    rabbitmq_names
    printf '%s\n' nginx
    program_names
}

# The processes meant by a name: itself, or all of a kind.
names_of() { # NAME
    if [[ " ${kinds[*]} " == *" $1 "* ]]; then
        program_names | grep -E "^$1-[0-9]+$" || die "no $1 is set to run"
    elif [ "$1" = rabbitmq ]; then
        rabbitmq_names
    else
        names_known | grep -xF -- "$1" ||
            die "there is no process \"$1\"; there are: $(names_known | tr '\n' ' ')"
    fi
}

names_of_all() { # NAME …
    local name
    for name in "$@"; do
        names_of "$name" || exit
    done
}

command_up() {
    local name
    packages_need "${packages_to_run[@]}"
    build all
    instance_create
    ! pair_is_on || packages_need mariadb-client
    epmd_start
    rabbitmq_start
    for name in $(mariadb_names); do
        mariadb_start "$name"
    done
    servers_prepare
    programs_stop_surplus
    metrics_write_targets
    for name in $(program_names); do
        program_start "$name"
    done
    for name in $(program_names); do
        program_wait "$name"
    done
    nginx_start
    nginx_wait
    print_urls
}

# Both at once: each takes a while to come up the first time.
servers_prepare() {
    local mariadb rabbitmq failed=
    (pair_ready && prepare_once mariadb "$root"/sql/*.sql "$root"/sql/migrations/*.sql && pair_join) &
    mariadb=$!
    (rabbitmq_wait && prepare_once rabbitmq "$root/launcher/accounts.jq" "$(build_folder)/ops/definitions.json" "$var/etc/tool.settings") &
    rabbitmq=$!
    wait "$mariadb" || failed=yes
    wait "$rabbitmq" || failed=yes
    [ -z "$failed" ] || exit 1
}

# Runs NAME_prepare unless it ran since this server's start with the same files and secrets.
prepare_once() { # NAME FILE …
    local name=$1 inputs
    shift
    inputs=$(cat "$var/run/$name"*.birth "$@" "$var"/secrets/* | sha256sum)
    [ -r "$var/run/$name.prepared" ] && [ "$(<"$var/run/$name.prepared")" = "$inputs" ] && return
    "${name}_prepare" || return
    # Again: what was made up on the way is among the secrets now.
    cat "$var/run/$name"*.birth "$@" "$var"/secrets/* | sha256sum >"$var/run/$name.prepared"
}

print_urls() {
    printf '%-13s %s\n' \
        site "http://127.0.0.1:$port_site/" \
        'RabbitMQ UI' "http://127.0.0.1:$port_management/   operator, password $(secret amqp-operator)" \
        'data, logs' "$var"
}

command_down() {
    local file name
    local -a programs=() nodes=()
    [ -d "$var/run" ] || return 0
    instance_lock
    for file in "$var"/run/*.pid; do
        name=$(basename "$file" .pid)
        case $name in
        rabbitmq*) nodes+=("$name") ;;
        *) ! is_program "$name" || programs+=("$name") ;;
        esac
    done
    stop_processes 15 nginx "${programs[@]}"
    stop_processes 60 "${nodes[@]}" mariadb mariadb-b
    stop_processes 5 epmd
    if [ -r "$var/socket-folder" ]; then
        rm -rf "$sockets" "$var/socket-folder"
    fi
}

command_start() {
    local name names
    names=$(names_of_all "$@") || exit
    instance_create
    for name in $names; do
        start_one "$name"
    done
    instance_unlock
    for name in $names; do
        wait_for_one "$name"
    done
}

start_one() { # NAME
    case $1 in
    epmd | nginx) "$1_start" ;;
    mariadb*) mariadb_start "$1" ;;
    rabbitmq*) epmd_start && rabbitmq_start_node "$1" ;;
    *) program_start "$1" ;;
    esac
}

wait_for_one() { # NAME
    case $1 in
    epmd) ;;
    nginx) wait_until nginx 30 port_answers "$port_site" ;;
    mariadb*) mariadb_wait "$1" && pair_take_role "$1" ;;
    rabbitmq*) rabbitmq_wait_node "$1" ;;
    *) program_wait "$1" ;;
    esac
}

command_stop() {
    local names
    names=$(names_of_all "$@") || exit
    instance_lock
    # shellcheck disable=SC2086 # names are words
    stop_processes 60 $names
}

command_restart() {
    local names name
    names=$(names_of_all "$@") || exit
    for name in $names; do
        is_program "$name" && build all && break
    done
    command_stop "$@"
    command_start "$@"
}

command_status() {
    local name pid metrics down=0
    printf '%-20s %-8s %-8s %s\n' PROCESS STATE METRICS PID
    for name in $(names_known); do
        metrics=-
        is_program "$name" && metrics=$(program_metrics_port "$name")
        [[ $name != rabbitmq* ]] || metrics=$port_prometheus
        if pid_of "$name"; then
            printf '%-20s %-8s %-8s %s\n' "$name" running "$metrics" "$pid"
        else
            printf '%-20s %-8s %-8s\n' "$name" down "$metrics"
            down=3
        fi
    done
    print_pair || down=3
    print_queues || down=3
    return "$down"
}

print_queues() {
    local queues
    queues=$(management 'queues?disable_stats=false' 2>/dev/null) || {
        printf '\nno queues: RabbitMQ does not answer\n'
        return 1
    }
    printf '\n%-28s %10s %10s %10s\n' QUEUE READY UNACKED CONSUMERS
    jq -r '.[] | [.name, .messages_ready // 0, .messages_unacknowledged // 0, .consumers // 0] | @tsv' \
        <<<"$queues" | sort -V | while IFS=$'\t' read -r name ready unacked consumers; do
        printf '%-28s %10s %10s %10s\n' "$name" "$ready" "$unacked" "$consumers"
    done
}

command_logs() {
    local -a follow=() files=()
    local name
    [ "${1:-}" != -f ] || { follow=(-F) && shift; }
    for name in "$@"; do
        if [[ " ${kinds[*]} " == *" $name "* ]]; then
            files+=("$var/log/$name"-[0-9]*.log)
        else
            files+=("$var/log/$name.log")
        fi
    done
    [ $# -gt 0 ] || files=("$var"/log/*.log)
    [ -e "${files[0]}" ] || die "there is no ${files[0]}"
    tail -n 50 "${follow[@]}" -- "${files[@]}"
}

command_env() {
    [ -d "$var/secrets" ] || die "there is no instance in $var: ./boxoffice up makes one"
    print_assignment BOXOFFICE_URL "http://127.0.0.1:$port_site"
    print_assignment BOXOFFICE_AMQP_IMPORT_URL "$(amqp_url_first importer)"
    print_assignment BOXOFFICE_AMQP_ADMIN_URL "$(amqp_url_first admin)"
    print_assignment BOXOFFICE_MANAGEMENT_URL "http://127.0.0.1:$port_management"
    print_assignment BOXOFFICE_MYSQL_SOCKET "$(mariadb_socket "$(pair_primary)")"
    print_assignment BOXOFFICE_MYSQL_PORT "$(mariadb_port "$(pair_primary)")"
    print_assignment BOXOFFICE_MYSQL_DATABASE "$database"
    print_assignment BOXOFFICE_MYSQL_ADMIN_USER boxoffice_admin
    print_assignment BOXOFFICE_MYSQL_ADMIN_PASSWORD "$(secret mysql-admin)"
    print_assignment BOXOFFICE_METRICS "$(metrics_processes | tr ' ' '=' | paste -sd ' ')"
    print_assignment BOXOFFICE_RABBITMQ_METRICS "127.0.0.1:$port_prometheus"
    print_assignment BOXOFFICE_VAR "$var"
}

print_assignment() { printf '%s=%q\n' "$1" "$2"; } # NAME VALUE

# The operator's command, with the account and the settings of this instance.
command_ctl() {
    [ -r "$var/etc/boxofficectl.settings" ] || die "there is no instance in $var: ./boxoffice up makes one"
    run_program boxofficectl boxofficectl "$@"
}

# The finance batch's program, with the importer's account at this instance's broker.
command_import() {
    [ -r "$var/etc/import.settings" ] || die "there is no instance in $var: ./boxoffice up makes one"
    run_program import boxoffice-import "$@"
}
