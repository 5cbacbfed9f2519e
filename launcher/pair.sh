# shellcheck shell=bash
# A second database that follows the first one (setting mysql_replica=1), "mariadb-b" beside "mariadb". Which
# of them is the primary is known to ops/database-pair, which does the work.

pair_is_on() { [ "$(setting mysql_replica)" = 1 ]; }

pair() { "$root/ops/database-pair" "$var/pair" "$@"; } # COMMAND …

# Prints the name of the server that takes writes.
pair_primary() {
    local primary=a
    [ ! -r "$var/pair/pair.state" ] || read -r primary _ <"$var/pair/pair.state"
    if [ "$primary" = a ]; then echo mariadb; else echo mariadb-b; fi
}

pair_replica() { if [ "$(pair_primary)" = mariadb ]; then echo mariadb-b; else echo mariadb; fi; }

# Both read-only and without replication when they start: ops/database-pair says who is who. Nobody is told
# of a commit before the replica has it in its log, however long that takes.
pair_conf() { # NAME
    pair_is_on || { echo skip-log-bin && return; }
    printf '%s\n' "server_id = $(if [ "$1" = mariadb ]; then echo 1; else echo 2; fi)" \
        'log_bin = binlog' 'sync_binlog = 1' 'binlog_expire_logs_seconds = 604800' 'relay_log = relay' 'read_only = ON'
    database_pair_conf
}

# MySQL takes no more than 32 characters for replication.
pair_password() { secret mysql-replica 16; }

pair_write_settings() {
    local name server kind=mariadb
    ! database_is_mysql || kind=mysql
    mkdir -p "$var/pair" || die "cannot create $var/pair"
    for name in mariadb mariadb-b; do
        server=a
        [ "$name" = mariadb ] || server=b
        printf '%s\n' '[client]' "socket = $(mariadb_socket "$name")" "user = $user" |
            write_changed "$var/pair/$server.cnf" || true
    done
    {
        printf '%s=%s\n' a_name mariadb a_host localhost a_port "$port_mysql" b_name mariadb-b b_host localhost \
            b_port "$port_mysql_b" user boxoffice_replica password "$(pair_password)" database "$database" \
            kind "$kind" dump "$(database_dump_program)"
        ! tls_is_on || printf '%s=%s\n' tls_ca "$var/tls/ca.pem"
    } | write_changed "$var/pair/pair.settings" || true
}

# A database that was kept without a log cannot be followed, and one that was left is not what it was.
pair_check() {
    if pair_is_on; then
        ! alive mariadb || [ -e "$var/pair/pair.settings" ] ||
            die "mysql_replica=1 takes a database that does not run: ./boxoffice down first"
        pair_write_settings
    elif [ -d "$var/pair" ]; then
        [ "$(pair_primary)" = mariadb ] || die "mysql_replica=0: the primary is mariadb-b; ./boxoffice promote first"
        ! alive mariadb || die "mysql_replica=0 takes a database that does not run: ./boxoffice down first"
        rm -rf "$var/pair" "$var/mysql-b"
    fi
}

# After a server's start: the primary is opened, the other one joins it. A new instance gets its replica once
# its accounts are made.
pair_take_role() { # NAME
    pair_is_on || return 0
    if [ "$1" = "$(pair_primary)" ]; then
        ! alive "$(pair_replica)" || mariadb_wait "$(pair_replica)"
        pair open || die "$1 stays read-only: see above"
    elif mariadb_answers "$(pair_primary)" && [ -r "$var/run/mariadb.prepared" ]; then
        pair join || die "$1 does not follow: see above"
    fi
}

pair_ready() {
    local name
    for name in $(mariadb_names); do
        mariadb_wait "$name"
    done
    pair_take_role "$(pair_primary)"
}

pair_join() {
    pair_is_on || return 0
    fill "$root/sql/replica.sql" replica_password "$(pair_password)" | mariadb_as_owner ||
        die "the replica's account could not be set: see above"
    pair join || die "$(pair_replica) does not follow: see above"
}

pair_must_be_on() { pair_is_on || die "there is one database: mysql_replica=1 adds another"; }

command_alone() {
    pair_must_be_on
    instance_lock
    pair alone
}

# One that does not answer is ended for good before the other takes its place.
command_promote() {
    local old pid
    local -a word=()
    pair_must_be_on
    instance_lock
    old=$(pair_primary)
    if ! mariadb_answers "$old"; then
        ! pid_of "$old" || { note "$old does not answer: killed" && kill -KILL -- "-$pid" 2>/dev/null; }
        while alive "$old"; do sleep 0.01; done
        word=(--old-is-down)
    fi
    pair promote "${word[@]}" || exit
    mariadb_write_admin_conf
}

print_pair() {
    pair_is_on || return 0
    printf '\n%s\n' DATABASE
    pair status
}
