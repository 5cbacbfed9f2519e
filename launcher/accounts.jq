# Sets the passwords of the broker's accounts in the definitions, and adds the launcher's administrator.

{admin: $admin, operator: $operator, front: $front, worker: $worker, importer: $importer} as $passwords
| def password: {password: ($passwords[.name] | rtrimstr("\n"))};
  .users |= map(del(.password_hash, .hashing_algorithm) + password)
| .users += [{name: "admin", tags: "administrator"} | . + password]
| .permissions += [{user: "admin", vhost: "/", configure: ".*", write: ".*", read: ".*"}]
