# shellcheck shell=bash
# The instance's own MariaDB, or MySQL (launcher/flavours.sh): data in VAR/mysql, accounts, migrations, demo data.

readonly database=boxoffice

mariadb_start() {
    mariadb_write_conf
    alive mariadb && return
    port_must_be_free "$port_mysql" MariaDB
    mariadb_install
    local -a command
    database_command
    spawn mariadb "${command[@]}" --defaults-file="$var/etc/mariadb.cnf" --user="$user"
}

# /usr/sbin is not on every user's path.
mariadb_program() { PATH=$PATH:/usr/sbin command -v "$1" || die "$1 is not installed"; }

# Made aside and renamed, so that a half-made folder is never taken for a database.
mariadb_install() {
    database_check_data
    [ ! -d "$var/mysql" ] || return 0
    rm -rf "$var/mysql.new"
    database_fill "$var/mysql.new" >"$var/log/mariadb-install.log" 2>&1 ||
        { cat "$var/log/mariadb-install.log" >&2 && die "the database's data folder could not be made: see above"; }
    mv "$var/mysql.new" "$var/mysql"
}

mariadb_write_conf() {
    write_changed "$var/etc/mariadb.cnf" <<END || true
[mysqld]
datadir = $var/mysql
tmpdir = $var/tmp
socket = $sockets/mariadb.sock
pid-file = $var/mysql/mariadb.pid
bind-address = 127.0.0.1
port = $port_mysql
skip-name-resolve
skip-log-bin
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
$(mariadb_tls)
END
    write_changed "$var/etc/mariadb-admin.cnf" <<END || true
[client]
socket = $sockets/mariadb.sock
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
    mariadb --no-defaults --socket="$sockets/mariadb.sock" --user="$user" --batch "$@"
}

mariadb_as_admin() { mariadb --defaults-file="$var/etc/mariadb-admin.cnf" --batch "$@"; }

mariadb_answers() { mariadb_as_owner -e 'DO 1' 2>/dev/null; }

mariadb_wait() { wait_until mariadb 120 mariadb_answers; }

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
