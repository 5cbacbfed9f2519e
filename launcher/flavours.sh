# shellcheck shell=bash
# Servers of other kinds and versions than this Debian's own MariaDB and RabbitMQ, and all that differs
# between them. The settings mysql_root and rabbitmq_root name folders that launcher/make-root made,
# whose servers are run instead (launcher/in-root). To the rest of the launcher the database is "mariadb"
# whatever it is.

# Sets in_root to the words before a command that run it where a server's programs are.
root_of() { # mysql|rabbitmq
    local folder
    folder=$(setting "$1_root")
    in_root=()
    [ -z "$folder" ] || in_root=("$root/launcher/in-root" "$folder")
}

# Refuses a folder without the server.
roots_check() {
    local folder
    folder=$(setting mysql_root)
    [ -z "$folder" ] || [ -x "$folder/usr/sbin/mysqld" ] || die "mysql_root: there is no usr/sbin/mysqld in $folder"
    folder=$(setting rabbitmq_root)
    [ -z "$folder" ] || [ -x "$folder$rabbitmq_program" ] || die "rabbitmq_root: there is no RabbitMQ in $folder"
    # What is mounted over would be out of sight.
    [ -z "$(setting mysql_root)$(setting rabbitmq_root)" ] || [[ $var/ != /usr/* ]] ||
        die "an instance under /usr cannot take its servers from another root"
}

# MariaDB's mysqld is a link to mariadbd.
database_is_mysql() {
    local folder
    folder=$(setting mysql_root)
    [ -n "$folder" ] && [ ! -e "$folder/usr/sbin/mariadbd" ]
}

# A data folder belongs to the kind that made it: neither can read the other's.
database_check_data() {
    local made_by=MariaDB is=MariaDB
    [ ! -e "$var/mysql/mysql.ibd" ] || made_by=MySQL
    ! database_is_mysql || is=MySQL
    [ ! -d "$var/mysql" ] || [ "$made_by" = "$is" ] ||
        die "the data in $var/mysql is $made_by's: $is cannot read it"
}

# Sets command to the words that start the database server.
database_command() {
    root_of mysql
    if database_is_mysql; then
        command=("${in_root[@]}" /usr/sbin/mysqld)
    elif [ ${#in_root[@]} -gt 0 ]; then
        command=("${in_root[@]}" /usr/sbin/mariadbd)
    else
        command=("$(mariadb_program mariadbd)") || exit
    fi
}

# Fills a new data folder, in which the operating system's user is the owner by the socket. --force: it
# does not insist that the host's own name can be looked up.
database_fill() { # FOLDER
    root_of mysql
    if database_is_mysql; then
        "${in_root[@]}" /usr/sbin/mysqld --no-defaults --datadir="$1" --user="$user" --initialize-insecure
    else
        "${in_root[@]}" mariadb-install-db --no-defaults --datadir="$1" --user="$user" \
            --skip-test-db --force --auth-root-authentication-method=socket --auth-root-socket-user="$user"
    fi
}

# The lines of the configuration that one kind knows.
database_conf() {
    if database_is_mysql; then
        # mysqld --initialize loads no plugin: the owner gets the socket's at each start, before anybody connects.
        # A replica's own is nobody else's.
        write_changed "$var/etc/mysql-owner.sql" <<END || true
SET sql_log_bin = 0;
CREATE USER IF NOT EXISTS '$user'@'localhost' IDENTIFIED WITH auth_socket;
GRANT ALL PRIVILEGES ON *.* TO '$user'@'localhost' WITH GRANT OPTION;
ALTER USER '$user'@'localhost' IDENTIFIED WITH auth_socket;
ALTER USER 'root'@'localhost' IDENTIFIED WITH auth_socket;
END
        printf '%s\n' 'plugin-load-add = auth_socket.so' "init-file = $var/etc/mysql-owner.sql" \
            'mysqlx = OFF' 'secure-file-priv = NULL' 'innodb_redo_log_capacity = 1G'
    else
        printf '%s\n' 'innodb_log_file_size = 1G'
    fi
}

# The same for a pair (launcher/pair.sh).
database_pair_conf() {
    if database_is_mysql; then
        printf '%s\n' 'plugin-load-add = semisync_source.so' 'plugin-load-add = semisync_replica.so' \
            'gtid_mode = ON' 'enforce_gtid_consistency = ON' 'replica_net_timeout = 10' 'skip_replica_start = ON' \
            'rpl_semi_sync_source_timeout = 4294967295'
    else
        printf '%s\n' 'binlog_format = ROW' 'log_slave_updates = ON' 'gtid_strict_mode = ON' 'slave_net_timeout = 10' \
            'skip_slave_start = ON' 'rpl_semi_sync_master_wait_point = AFTER_SYNC' \
            'rpl_semi_sync_master_timeout = 4294967295' 'rpl_semi_sync_master_wait_no_slave = ON'
    fi
}

# Prints the program that copies a server of this kind, in its root; nothing for this system's own.
database_dump_program() {
    local name=mariadb-dump
    root_of mysql
    [ ${#in_root[@]} -gt 0 ] || return 0
    ! database_is_mysql || name=mysqldump
    printf '#!/bin/sh\nexec %s "$@"\n' "$(printf '%q ' "${in_root[@]}" "/usr/bin/$name")" | write_changed "$var/pair/dump" || true
    chmod 755 "$var/pair/dump" && echo "$var/pair/dump"
}
