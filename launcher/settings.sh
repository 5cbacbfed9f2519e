# shellcheck shell=bash
# Settings of an instance: VAR/settings, a line name=value each. The launcher keeps some for itself;
# all others go to the processes, which know their names from lib/conf.def.

declare -A settings=()

declare -rA launcher_settings=(
    [fronts]=1 [seat_workers]=1 [account_workers]=2 [gate_workers]=1
    [tls]=0                   # 1: to broker and database by TLS alone, with certificates of its own
    [mysql_replica]=0         # 1: a second database that follows the first one and can take its place
    [rabbitmq_nodes]=1        # or 3: a cluster
    [mysql_root]=''           # folder with the programs of a MySQL or MariaDB (launcher/make-root); empty: this system's
    [rabbitmq_root]=''        # the same for RabbitMQ
    [nginx_workers]=1         # processes
    [nginx_at_once]=4000      # requests at once; beyond 503
    [nginx_keepalive]=0       # connections to the fronts kept open, in all; 0: nginx_at_once
    [nginx_address]=''        # to listen on beside 127.0.0.1; 0.0.0.0: all of IPv4
    [nginx_trusted]=''        # addresses of proxies whose X-Forwarded-For is believed, comma between
    [nginx_per_address]=0     # requests at once from one address; 0: a quarter of what is let in
    [nginx_hsts_s]=0          # seconds for which browsers are told to insist on https; 0: no TLS before us
    [nginx_issue_rate]=1000   # POST /user, /join and /queue/issue: requests a second and address
    [nginx_issue_burst]=10000 # and as many more at once
)

settings_load() {
    local line
    settings=()
    [ -r "$var/settings" ] || return 0
    while IFS= read -r line || [ -n "$line" ]; do
        settings_take "$line" "$var/settings"
    done <"$var/settings"
}

# Takes a line or word; "name=" removes what was set before.
settings_take() { # TEXT WHERE
    local name=${1%%=*}
    case $1 in
    '' | '#'*) return ;;
    *=*) ;;
    *) die "$2: \"$1\" is not name=value" ;;
    esac
    settings_knows "$name" || die "$2: there is no setting \"$name\""
    unset "settings[$name]"
    [ -z "${1#*=}" ] || settings[$name]=${1#*=}
}

settings_knows() { # NAME
    [[ $1 =~ ^[a-z_]+$ ]] || return 1
    [ -n "${launcher_settings[$1]+known}" ] || grep -qE "^CONF_[A-Z]+\($1," "$root/lib/conf.def"
}

# Adds what the caller gives in BOXOFFICE_SETTINGS and BOXOFFICE_SET.
settings_merge() {
    local line words
    if [ -n "${BOXOFFICE_SETTINGS:-}" ]; then
        [ -r "$BOXOFFICE_SETTINGS" ] || die "BOXOFFICE_SETTINGS: cannot read $BOXOFFICE_SETTINGS"
        while IFS= read -r line || [ -n "$line" ]; do
            settings_take "$line" "$BOXOFFICE_SETTINGS"
        done <"$BOXOFFICE_SETTINGS"
    fi
    read -ra words -d '' <<<"${BOXOFFICE_SET:-}"
    for line in "${words[@]}"; do
        settings_take "$line" BOXOFFICE_SET
    done
}

# Refuses a value out of its limits before anything is started with it, or it is remembered.
settings_check() {
    local name
    setting_number fronts 1 64 >/dev/null || exit
    for name in seat_workers account_workers gate_workers; do
        setting_number "$name" 0 64 >/dev/null || exit
    done
    setting_number tls 0 1 >/dev/null || exit
    rabbitmq_check_nodes
    roots_check
    setting_number mysql_replica 0 1 >/dev/null || exit
    setting_number nginx_per_address 0 8192 >/dev/null || exit
    [[ $(setting nginx_address) =~ ^[0-9A-Fa-f.:]*$ ]] || die "nginx_address must be an address"
    [[ $(setting nginx_trusted) =~ ^[0-9A-Fa-f.:/,]*$ ]] || die "nginx_trusted must be addresses with commas between"
    setting_number nginx_issue_rate 1 1000000 >/dev/null || exit
    setting_number nginx_issue_burst 0 1000000 >/dev/null || exit
    setting_number nginx_hsts_s 0 100000000 >/dev/null || exit
    setting_number nginx_workers 1 64 >/dev/null || exit
    setting_number nginx_at_once 1 100000 >/dev/null && setting_number nginx_keepalive 0 100000 >/dev/null || exit
    program_settings tool worker worker_index 0 | write_changed "$var/etc/tool.settings" || true
    program_settings boxofficectl operator management_url "http://$(rabbitmq_addresses ":$port_management" | paste -sd ,)" \
        site_url "http://127.0.0.1:$port_site" metrics_targets "$var/prometheus/targets/boxoffice.json" | write_changed "$var/etc/boxofficectl.settings" || true
    import_settings | write_changed "$var/etc/import.settings" || true
    run_program tool boxoffice-topology --vhost / >/dev/null || die "a setting is refused: see above"
}

settings_save() {
    local name
    for name in "${!settings[@]}"; do
        printf '%s=%s\n' "$name" "${settings[$name]}"
    done | sort | write_changed "$var/settings" || true
}

# Prints a setting: as set, else the launcher's default, else that of the processes.
setting() { # NAME
    if [ -n "${settings[$1]+set}" ]; then
        printf '%s\n' "${settings[$1]}"
    elif [ -n "${launcher_settings[$1]+known}" ]; then
        printf '%s\n' "${launcher_settings[$1]}"
    else
        sed -nE "s/^CONF_INT\($1, ([0-9]+),.*/\1/p; s/^CONF_TEXT\($1, \"([^\"]*)\",.*/\1/p" \
            "$root/lib/conf.def"
    fi
}

# The same for a number of the launcher's own, checked.
setting_number() { # NAME LEAST MOST
    local value
    value=$(setting "$1")
    [[ $value =~ ^[0-9]{1,9}$ ]] && ((10#$value >= $2 && 10#$value <= $3)) ||
        die "setting $1 is \"$value\": it takes $2 to $3"
    printf '%s\n' "$((10#$value))"
}
