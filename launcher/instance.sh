# shellcheck shell=bash
# The instance: its folder, ports, lock and secrets.

# Finds the instance: its folder, ports and settings. Creates nothing.
instance_open() {
    var=$(realpath -m -- "${BOXOFFICE_VAR:-$root/var}")
    local recorded=
    [ -r "$var/port-base" ] && read -r recorded <"$var/port-base"
    port_base=${BOXOFFICE_PORT_BASE:-${recorded:-18000}}
    [[ $port_base =~ ^[0-9]{4,5}$ ]] && ((port_base >= 1024 && port_base <= 65269)) ||
        die "BOXOFFICE_PORT_BASE is $port_base: it takes 1024 to 65269"
    port_site=$port_base
    port_management=$((port_base + 1))
    port_amqp=$((port_base + 2))
    port_epmd=$((port_base + 3))
    port_dist=$((port_base + 4))
    port_mysql=$((port_base + 5))
    port_prometheus=$((port_base + 6))
    port_mysql_b=$((port_base + 9))
    user=$(id -un)
    sockets=$var/run
    [ -r "$var/socket-folder" ] && read -r sockets <"$var/socket-folder"
    settings_load
}

# Creates the instance's folders and takes its lock: one command changes an instance at a time.
instance_create() {
    mkdir -p "$var"/{etc,run,log,tmp,secrets,nginx} || die "cannot create $var"
    instance_lock
    instance_check_ports
    printf '%s\n' "$port_base" >"$var/port-base"
    # A unix socket's path takes 107 bytes; the longest name is some 20.
    if [ "${#sockets}" -gt 80 ] || [ ! -d "$sockets" ]; then
        sockets=$(mktemp -d /tmp/boxoffice.XXXXXX) || die "cannot create a folder for sockets in /tmp"
        printf '%s\n' "$sockets" >"$var/socket-folder"
    fi
    settings_merge
    tls_write
    settings_check
    pair_check
    settings_save
}

# Waits until no other command changes this instance. Held until this one ends.
instance_lock() {
    [ -z "${instance_lock_fd:-}" ] || return 0
    exec {instance_lock_fd}>"$var/lock"
    flock "$instance_lock_fd"
}

# Who only waits for a process lets others in: they may be about to start what it needs.
instance_unlock() {
    exec {instance_lock_fd}>&-
    instance_lock_fd=
}

# A base other than the recorded one would leave what runs on the old ports.
instance_check_ports() {
    local recorded name
    [ -r "$var/port-base" ] && read -r recorded <"$var/port-base" || return 0
    [ "$recorded" != "$port_base" ] || return 0
    for name in $(names_known); do
        alive "$name" && die "$name runs on the ports from $recorded: ./boxoffice down first"
    done
}

# Prints a secret of the instance, made up the first time it is asked for.
secret() { # NAME [BYTES]
    local file=$var/secrets/$1
    if [ ! -s "$file" ]; then
        openssl rand -hex "${2:-32}" >"$file.new" && mv "$file.new" "$file" || die "cannot write $file"
    fi
    printf '%s\n' "$(<"$file")"
}
