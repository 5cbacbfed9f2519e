# The results of all turns, a JSON object each, as one object.

def median: sort | .[length / 2 | floor];
def three: . * 1000 | round / 1000;
def sum_objects: reduce (.[] | to_entries[]) as $each ({}; .[$each.key] += $each.value);

# Kinds whose success is a row that the turn's counter counts.
def is_counted: IN("charge", "issue", "reserve", "cancel", "pay");
def answered: [.kinds[].answers] | add // 0;
def of_status($status): [.kinds | to_entries[] | select(.key | is_counted) | .value.statuses[$status] // 0] | add // 0;

# What is in the tables where that is counted, else what was granted; a crowd's refusals are work too.
def is_written: IN("charge", "charge-1000", "charge-one", "pessimistic", "pessimistic-1000", "open-charge-50",
    "open-charge-80", "issue", "reserve", "cancel", "pay");
def is_counted_arm: is_written or IN("one-seat", "contention", "mixed", "open-mixed-50", "open-mixed-80");
def rate: (if .arm | is_written then .committed else answered end) / .seconds;

# All that was granted is there, and nothing else but what may have been done without an answer.
def is_right_turn: if .arm | is_counted_arm
    then of_status("200") <= .committed and .committed <= of_status("200") + of_status("202") + .broken
    else true end;

# Of the kind that an arm is about; a mix has the others beside it.
def kind_figure($kind; f):
    [.[] | .kinds[$kind // "none"] | select(.) | f] | if . == [] then null else median end;

# Where the time of a charge went, in ms at the mean: what a process waited for another one is that one's.
def is_charged: IN("charge", "charge-1000", "charge-one", "open-charge-50", "open-charge-80");
def spans_report:
    map(.spans | map_values(if .count > 0 then .s * 1e3 / .count else null end)) as $of
    | ([.[].kinds[].meanMs] | median) as $all
    | def mean($part): [$of[] | .[$part] | select(.)] | if . == [] then null else median end;
    ["request", "reply", "queue", "batch", "database" | mean(.)] as [$request, $reply, $queue, $batch, $database]
    | if [$request, $reply, $queue, $batch, $database] | any(. == null) then null else
      {$all, nginx: ($all - $request), front: ($request - $reply), $queue, worker: ($batch - $database),
       $database, reply: ($reply - $queue - $batch)} | map_values(three) end;

def arm_report: . as $turns
    | (map(.kinds | keys[]) | unique) as $kinds
    | {arm: .[0].arm,
       perSecond: (map(rate) | median | round), least: (map(rate) | min | round), most: (map(rate) | max | round),
       rounds: map(rate | round),
       seconds: (map(.seconds) | median),
       p50Ms: kind_figure($kinds[0]; .p50Ms), p90Ms: kind_figure($kinds[0]; .p90Ms),
       p99Ms: kind_figure($kinds[0]; .p99Ms), maxMs: kind_figure($kinds[0]; .maxMs),
       answers: (map(answered) | add), committed: (map(.committed) | add), broken: (map(.broken) | add),
       statuses: (map(.kinds[].statuses) | sum_objects),
       rate: (map(.rate | select(.)) | if . == [] then null else median end),
       loadShare: (map(.loadCpuUs / 1e6 / .seconds / $processors) | median | three),
       questionsPerRequest: (map(if answered > 0 then .questions / answered else 0 end) | median | three),
       # Of all turns together: the system counts in hundredths of a second.
       cpuUs: (if $kinds == [] then {} else
           (map(answered) | add) as $n | (map(.cpuUs + {load: .loadCpuUs}) | sum_objects)
           | map_values(. / $n * 10 | round / 10) | with_entries(select(.value > 0)) end),
       cpuShareAtRest: (if $kinds == [] then
           (map(.seconds) | add) as $s | (map(.cpuUs) | sum_objects)
           | map_values(. / 1e6 / $s | three) | with_entries(select(.value > 0)) else null end),
       spansMs: (if .[0].arm | is_charged then spans_report else null end),
       isRight: all(is_right_turn)}
    | if ($kinds | length) > 1
      then .kinds = ([$kinds[] as $kind | {($kind): {p50Ms: ($turns | kind_figure($kind; .p50Ms)),
               p99Ms: ($turns | kind_figure($kind; .p99Ms)), maxMs: ($turns | kind_figure($kind; .maxMs)),
               statuses: ([$turns[].kinds[$kind].statuses | select(.)] | sum_objects)}}] | add)
          | .p50Ms = (.kinds | map(.p50Ms) | max) | .p99Ms = (.kinds | map(.p99Ms) | max)
          | .p90Ms = null | .maxMs = (.kinds | map(.maxMs) | max)
      else . end
    | with_entries(select(.value != null));

def first_seen(f): reduce .[] as $row ([]; ($row | f) as $key | if index([$key]) then . else . + [$key] end);

. as $all
| [first_seen(.arm)[] as $arm | $all | map(select(.arm == $arm)) | arm_report] as $arms
| ($arms | map({(.arm): .}) | add) as $of
| def row($what; $over; $under; figure; limit):
      if $of[$over] and $of[$under]
      then (($of[$over] | figure) / ($of[$under] | figure) | three) as $measured
          | {what: $what, $measured} + limit
          | .reached = (if .least then $measured >= .least else $measured <= .most end)
      else empty end;
  {$rounds, $seconds, $clients, $fans, $crowd, $processors,
   loops: "closed (each client sends its next request when the last is answered: what is slow is asked less, coordinated omission), but for open-*: a constant rate, times counted from when a request was due",
   mix: "of 20 requests 12 polls, 3 seat maps, 2 tickets, 2 reservations, 1 payment",
   $arms,
   targets: [
       row("charges on one balance ÷ pessimistic"; "charge"; "pessimistic"; .perSecond; {least: 4}),
       row("charges on one balance ÷ hello"; "charge"; "hello"; .perSecond; {least: 0.5}),
       row("charges on one balance ÷ echo with 64 in flight"; "charge"; "echo"; .perSecond; {least: 1}),
       row("reserve, spread ÷ hello"; "reserve"; "hello"; .perSecond; {least: 0.4}),
       row("\($crowd) clients on one seat ÷ \($crowd) hellos, time until all are answered"; "one-seat"; "hello-crowd"; .seconds; {most: 2.5}),
       row("latency of a charge with one client ÷ one echo, at the median"; "charge-one"; "echo-one"; .p50Ms; {most: 2}),
       row("poll ÷ hello"; "poll"; "hello-get"; .perSecond; {least: 0.9}),
       row("seat map ÷ hello"; "seat-map"; "hello-get"; .perSecond; {least: 0.8})],
   $batches,
   queriesPerPoll: (if $of.poll and $of.idle then
       [$all[] | select(.arm == "poll") | .seconds as $s | answered as $n
        | (.questions - $s * ([$all[] | select(.arm == "idle") | .questions / .seconds] | median)) / $n] | median | three + 0
       else null end),
   money: {wrongBalances: $wrong, audit: {broken: $audit.broken, warnings: $audit.warnings}},
   isRight: ($wrong == 0 and $audit.broken == 0 and ($arms | all(.isRight)))}
