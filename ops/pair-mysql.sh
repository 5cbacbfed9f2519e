# shellcheck shell=bash
# What ops/database-pair says to MySQL alone. A position is a set of transactions by the servers where they
# were first committed, "UUID:1-4711,UUID:1-12": a server that has one too many is found out by its set.
# shellcheck disable=SC2034 # read by database-pair

readonly client_program=mysql
readonly dump_program=mysqldump
readonly -a dump_data=(--set-gtid-purged=OFF)
readonly -a dump_with_position=(--set-gtid-purged=ON)
readonly source_word=Source
readonly replica_word=Replica
readonly before_accounts='SET print_identified_with_as_hex = ON;'

written() { sql "$1" "SELECT REPLACE(@@global.gtid_executed, '\n', '')"; } # SERVER
applied() { written "$1"; }                                               # SERVER

received() { # SERVER
    local retrieved at
    retrieved=$(follows "$1" Retrieved_Gtid_Set) && at=$(applied "$1") && printf '%s,%s\n' "$retrieved" "$at"
}

# Has a server at the first position all that is at the second? Any server can tell.
reaches() { # SERVER POSITION POSITION
    [ -n "$2" ] && [ -n "$3" ] && [ "$(sql "$1" "SELECT GTID_SUBSET('$3', '$2')")" = 1 ]
}

# Transactions from the second position to the first.
behind() { # SERVER POSITION POSITION
    [ -n "$2" ] || { echo '?' && return; }
    sql "$1" "SELECT GTID_SUBTRACT('$2', '$3')" | tr ',:' '\n' |
        awk -F - '/^[0-9]+(-[0-9]+)?$/ { count += NF == 2 ? $2 - $1 + 1 : 1 } END { print count + 0 }'
}

# It knows by itself where it is.
go_on_from() { :; } # SERVER POSITION

# The key by which the password goes to a source without TLS is asked of that source. 0: it tries for ever.
follow_words() {
    echo 'CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1, SOURCE_RETRY_COUNT = 0, GET_SOURCE_PUBLIC_KEY = 1,'
}

forget() { must "$1" 'STOP REPLICA; RESET REPLICA ALL; RESET BINARY LOGS AND GTIDS'; } # SERVER

# It is a statement at the head of a dump, of a line for each server.
position_last() {
    awk '/^SET @@GLOBAL.GTID_PURGED=/ { inside = 1 }
        inside { position = position $0; if (/;$/) inside = 0; next }
        { print }
        END { if (!position) exit 1; print position }'
}
