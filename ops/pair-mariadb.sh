# shellcheck shell=bash
# What ops/database-pair says to MariaDB alone. A position is "0-1-4711": transaction 4711, first
# committed at server 1. History is one line (gtid_strict_mode), so numbers can be compared.
# shellcheck disable=SC2034 # read by database-pair

readonly client_program=mariadb
readonly dump_program=mariadb-dump
readonly -a dump_data=()
readonly -a dump_with_position=(--gtid --master-data=2)
readonly source_word=Master
readonly replica_word=Slave
readonly before_accounts=''

written() { sql "$1" 'SELECT @@global.gtid_current_pos'; } # SERVER
applied() { sql "$1" 'SELECT @@global.gtid_slave_pos'; }   # SERVER
received() { follows "$1" Gtid_IO_Pos; }                   # SERVER; nothing before it ever was connected

number_of() { printf '%s\n' "${1##*-}"; } # POSITION

# Has a server at the first position all that is at the second?
reaches() { # SERVER POSITION POSITION
    [ -n "$2" ] && [ -n "$3" ] && (("$(number_of "$2")" >= "$(number_of "$3")"))
}

# Transactions from the second position to the first.
behind() { # SERVER POSITION POSITION
    [ -n "$2" ] && [ -n "$3" ] && printf '%s\n' $(("$(number_of "$2")" - "$(number_of "$3")")) || echo '?'
}

# Who took writes goes on from there when it follows.
go_on_from() { must "$1" "STOP SLAVE; SET GLOBAL gtid_slave_pos = '$2'"; } # SERVER POSITION

follow_words() { echo 'CHANGE MASTER TO MASTER_USE_GTID = slave_pos,'; }

forget() { must "$1" "STOP SLAVE; RESET SLAVE ALL; RESET MASTER; SET GLOBAL gtid_slave_pos = ''"; } # SERVER

# It stands in a comment at the head of a dump.
position_last() {
    awk 'sub(/^-- SET GLOBAL gtid_slave_pos=/, "SET GLOBAL gtid_slave_pos=") { position = $0; next }
        { print }
        END { if (!position) exit 1; print position }'
}
