# Adds the broker's accounts, each with what it needs and no more, to the definitions of the topology.

def account($password; $tags):
    {password: ($password | rtrimstr("\n")), tags: $tags};
def rights($configure; $write; $read):
    {configure: $configure, write: $write, read: $read};

# What a worker declares, consumes and publishes to; replies go through the default exchange.
"^((seat|hold\\.expiry)(\\..+)?|gate|account|charge\\.import|dead|amq\\.default)$" as $topology
| {
    admin: (account($admin; "administrator") + rights(".*"; ".*"; ".*")),
    # Looks, gets and moves messages; changes no account, queue or exchange, but for boxofficectl's own replies.
    operator: (account($operator; "monitoring") + rights("^reply\\.ctl\\..*"; ".*"; ".*")),
    front: (account($front; "")
        + rights("^reply\\.front\\..*"; "^(seat|gate|account)$"; "^reply\\.front\\..*")),
    worker: (account($worker; "") + rights($topology; $topology; $topology)),
    importer: (account($importer; "")
        + rights("^reply\\.import\\..*"; "^charge\\.import$"; "^reply\\.import\\..*"))
  } as $accounts
| . + {
    vhosts: [{name: "/"}],
    users: [$accounts | to_entries[] | {name: .key} + (.value | {password, tags})],
    permissions: [$accounts | to_entries[]
        | {user: .key, vhost: "/"} + (.value | {configure, write, read})]
  }
