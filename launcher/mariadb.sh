# shellcheck shell=bash
# The instance's own MariaDB, or MySQL (launcher/flavours.sh): data in VAR/mysql, accounts, migrations, demo data.

readonly database=boxoffice

# The servers of the instance: one, or with mysql_replica=1 two (launcher/pair.sh).
mariadb_names() {
    echo mariadb
    ! pair_is_on || echo mariadb-b
}

mariadb_data() { if [ "$1" = mariadb ]; then echo "$var/mysql"; else echo "$var/mysql-b"; fi; }   # NAME
mariadb_port() { if [ "$1" = mariadb ]; then echo "$port_mysql"; else echo "$port_mysql_b"; fi; } # NAME
mariadb_socket() { printf '%s\n' "$sockets/$1.sock"; }                                            # NAME

mariadb_start() { # NAME
    mariadb_write_conf "$1"
    mariadb_write_admin_conf
    alive "$1" && return
    port_must_be_free "$(mariadb_port "$1")" MariaDB
    mariadb_install "$(mariadb_data "$1")"
    # MySQL's, of one that was killed: the number in it may be another process's by now.
    rm -f "$(mariadb_socket "$1").lock"
    local -a command
    database_command
    spawn "$1" "${command[@]}" --defaults-file="$var/etc/$1.cnf" --user="$user"
}

# /usr/sbin is not on every user's path.
mariadb_program() { PATH=$PATH:/usr/sbin command -v "$1" || die "$1 is not installed"; }

# Made aside and renamed, so that a half-made folder is never taken for a database.
mariadb_install() { # FOLDER
    database_check_data
    [ ! -d "$1" ] || return 0
    rm -rf "$1.new"
    database_fill "$1.new" >"$var/log/mariadb-install.log" 2>&1 ||
        { cat "$var/log/mariadb-install.log" >&2 && die "the database's data folder could not be made: see above"; }
    mv "$1.new" "$1"
}

mariadb_write_conf() { # NAME
    write_changed "$var/etc/$1.cnf" <<END || true
[mysqld]
datadir = $(mariadb_data "$1")
tmpdir = $var/tmp
socket = $(mariadb_socket "$1")
pid-file = $(mariadb_data "$1")/mariadb.pid
bind-address = 127.0.0.1
port = $(mariadb_port "$1")
skip-name-resolve
character-set-server = utf8mb4
collation-server = utf8mb4_bin
default-time-zone = +00:00
max_connections = 500
performance_schema = OFF
# What is answered is on the disk.
innodb_flush_log_at_trx_commit = 1
innodb_buffer_pool_size = 1G
# Rows are found by key, over and over: a fifth less work for an import.
innodb_adaptive_hash_index = ON
# No statement needs consecutive numbers, so none waits for another's.
innodb_autoinc_lock_mode = 2
$(database_conf)
$(pair_conf "$1")
$(mariadb_tls)
END
}

mariadb_write_admin_conf() {
    write_changed "$var/etc/mariadb-admin.cnf" <<END || true
[client]
socket = $(mariadb_socket "$(pair_primary)")
user = boxoffice_admin
password = $(secret mysql-admin)
default-character-set = utf8mb4
END
}

# By TLS alone, but for the socket.
mariadb_tls() {
    ! tls_is_on || printf '%s\n' "ssl_ca = $var/tls/ca.pem" "ssl_cert = $var/tls/server.pem" \
        "ssl_key = $var/tls/server-key.pem" 'tls_version = TLSv1.2,TLSv1.3' 'require_secure_transport = ON'
}

# As the operating system's user who made the database: the server itself checks who that is.
mariadb_as_owner() {
    mariadb --no-defaults --socket="$(mariadb_socket "$(pair_primary)")" --user="$user" --batch
}

mariadb_as_admin() { mariadb --defaults-file="$var/etc/mariadb-admin.cnf" --batch "$@"; }

mariadb_answers() { # NAME
    timeout 4 mariadb --no-defaults --socket="$(mariadb_socket "$1")" --user="$user" -e 'DO 1' 2>/dev/null
}

mariadb_wait() { wait_until "$1" 120 mariadb_answers "$1"; } # NAME

# Accounts, schema and demo data; harmless again.
mariadb_prepare() {
    fill "$root/sql/database.sql" database "$database" admin_password "$(secret mysql-admin)" |
        mariadb_as_owner || die "the database could not be created: see above"
    "$root/sql/migrate" --defaults-file="$var/etc/mariadb-admin.cnf" "$database" ||
        die "a migration failed: see above"
    fill "$root/sql/accounts.sql" database "$database" front_password "$(secret mysql-front)" \
        worker_password "$(secret mysql-worker)" operator_password "$(secret mysql-operator)" |
        mariadb_as_owner || die "the database accounts could not be set: see above"
    mariadb_as_admin "$database" <"$root/sql/demo.sql" || die "the demo data could not be loaded: see above"
}
