"""results.json → sections. Each bench has one function that knows its object."""

from dataclasses import dataclass, field

from .plots import Bars, Course, Curves


@dataclass
class Table:
    head: list
    rows: list


@dataclass
class Section:
    title: str
    tables: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    plots: list = field(default_factory=list)


def of(results):
    """First what was measured on, then what was to be reached, then each bench in the order it ran."""
    made = [machine(results), targets(results)]
    for name, bench in results["benches"].items():
        section = BENCHES[name](bench["result"])
        section.notes.append(f"`bench/{PROGRAMS.get(name, name)} {bench['arguments']}`, {bench['seconds']} s".replace(" `", "`"))
        made.append(section)
    if results["failed"]:
        made.append(Section("Failed", notes=[f"{name}: see {name}.log" for name in results["failed"]]))
    return made


def machine(results):
    about, versions, settings = results["machine"], results["versions"], results["settings"]
    commit = versions["commit"][:12] + (" and changes" if versions["isChanged"] else "")
    return Section(f"Measured {results['startedAt']}, {results['form']} form", [Table(["what", "which"], [
        ["machine", f"{about['cpu']}, {about['cores']} cores, {about['memoryMiB']} MiB, Linux {about['kernel']}"],
        ["data folder", f"{about['fileSystem']}; 4 KiB and fdatasync: {about['syncP50Ms']} ms at the median, "
                        f"{about['syncP99Ms']} ms at the 99th percentile"],
        ["boxoffice", f"{versions['boxoffice']}, {commit}"],
        ["servers", f"nginx {versions['nginx']}, RabbitMQ {versions['rabbitmq']}, MariaDB {versions['mariadb']}"],
        ["libraries", f"librabbitmq {versions['librabbitmq']}, libfcgi {versions['libfcgi']}, {versions['compiler']}"],
        ["settings", ", ".join(f"{name}={value}" for name, value in settings["instance"].items())],
        ["database", ", ".join(f"{name}={value}" for name, value in settings["database"].items())],
    ])])


def targets(results):
    rows = []
    for target in results["targets"]:
        limit = f"≥ {target['least']}" if "least" in target else f"≤ {target['most']}"
        of_crowd = f", {results['benches']['crowd']['result']['clients']:,} clients" if target["bench"] == "crowd" else ""
        rows.append([target["what"] + of_crowd, target["measured"], limit, target["reached"]])
    missed = sum(not target["reached"] for target in results["targets"])
    return Section("What is to be reached", [Table(["what", "measured", "target", "reached"], rows)],
                   [f"{missed} of {len(rows)} missed"] if missed else [])


def strategies(told):
    section = Section("Strategies of concurrency control, in process")
    for number, workload in enumerate(told["workloads"], 1):
        measured = [arm for arm in workload["arms"] if arm["isMeasured"]]
        section.tables.append(Table([workload["name"], "per second", "least", "most", "ours: times"], [
            [arm["arm"], arm.get("perSecond", "not measured"), arm.get("least"), arm.get("most"), arm.get("oursTimes")]
            for arm in workload["arms"]]))
        section.plots.append(Bars(f"strategies-{number}", workload["name"], "operations a second",
                                  [(arm["arm"], arm["perSecond"], arm["least"], arm["most"]) for arm in measured]))
    section.notes.append(f"{told['threads']} clients, innodb_flush_log_at_trx_commit={told['flushAtCommit']}; "
                         "after each turn no money was lost")
    if not all(arm["isMeasured"] for workload in told["workloads"] for arm in workload["arms"]):
        section.notes.append("Kafka is measured when KAFKA_BROKERS names a broker")
    return section


ARM_HEAD = ["arm", "per second", "least", "most", "p50 ms", "p99 ms", "errors"]


def arm_row(name, arm, errors):
    return [name, arm["perSecond"], min(arm["rounds"]), max(arm["rounds"]), arm["p50Ms"], arm["p99Ms"], errors]


def arm_bars(name, title, arms):
    return Bars(name, title, "a second", [
        (label, arm["perSecond"], min(arm["rounds"]), max(arm["rounds"])) for label, arm in arms])


HTTP_WRITES = ("charge", "charge-1000", "pessimistic", "pessimistic-1000", "echo", "hello", "static")
HTTP_SALE = ("hello", "poll", "seat-map", "issue", "contention", "reserve", "cancel", "pay", "mixed")
PROCESSES = {"nginx": "nginx", "front": "front-", "workers": "-worker-", "mariadb": "mariadb", "rabbitmq": "rabbitmq", "load": "load"}


def crowd(told):
    return http(told, "crowd")


def http(told, name="http"):
    arms = {arm["arm"]: arm for arm in told["arms"] if arm["arm"] != "idle"}
    batches = [f"{queue}: median {of['median']}, p95 {of['p95']}" for queue, of in sorted(told["batches"].items()) if of]
    notes = [f"{told['clients']} clients, {told['rounds']} rounds of {told['seconds']} s; mixed: {told['mix']}",
             f"loops are {told['loops']}",
             f"jobs in a batch: {'; '.join(batches)}" if batches else "no batch was made",
             f"money and seats {'right' if told['isRight'] else 'WRONG'}: {told['money']['wrongBalances']} wrong balances, "
             f"{told['money']['audit']['broken']} findings of the audit"]
    if any(arm.get("spansMs") for arm in arms.values()):
        notes.append("parts of a request's time: nginx with the client, the front, on the way to the worker and waiting for the "
                     "batch before, the worker, the database from BEGIN to COMMIT, on the way back; a batch counts once however "
                     "many messages it has, so the last is what is left")
    if told["queriesPerPoll"] is not None:
        notes.append(f"queries per poll: {told['queriesPerPoll']}")
    return Section(f"The whole service over HTTP, {told['clients']:,} clients", [
        Table(["arm", "per second", "least", "most", "p50 ms", "p99 ms", "broken"],
              [[each, arm["perSecond"], arm["least"], arm["most"], arm.get("p50Ms"), arm.get("p99Ms"), arm["broken"]]
               for each, arm in arms.items()]),
        Table(["CPU µs per request", *PROCESSES, "compared with", "all"],
              [cpu_row(each, arm["cpuUs"]) for each, arm in arms.items() if arm.get("cpuUs")]),
        *spans_tables(arms),
    ], notes, [plot for plot in (
        http_bars(f"{name}-charges", f"Charges over HTTP of {told['clients']:,} clients, beside what they are compared with", arms, HTTP_WRITES),
        http_bars(f"{name}-sale", f"Calls of a sale over HTTP, {told['clients']:,} clients", arms, HTTP_SALE)) if plot.bars])


def spans_tables(arms):
    told = {name: arm["spansMs"] for name, arm in arms.items() if arm.get("spansMs")}
    return [Table(["ms of one request, at the mean", *next(iter(told.values()))],
                  [[name, *spans.values()] for name, spans in told.items()])] if told else []


def cpu_row(name, cpu_us):
    """Processes of one kind together; what is none of ours is a program to compare with."""
    known = {kind: sum(us for each, us in cpu_us.items() if part in each) for kind, part in PROCESSES.items()}
    others = sum(us for each, us in cpu_us.items() if not any(part in each for part in PROCESSES.values()))
    return [name, *known.values(), others, sum(cpu_us.values())]


def http_bars(name, title, arms, wanted):
    return Bars(name, title, "a second", [(each, arms[each]["perSecond"], arms[each]["least"], arms[each]["most"])
                                          for each in wanted if each in arms])


def line(told):
    streams, cost = told["streams"], told["costOfPolls"]
    tables = [Table(["tickets", *ARM_HEAD[1:]], [arm_row(name, arm, arm["errors"]) for name, arm in told["issue"].items()])]
    plots = [arm_bars("line-issue", "Tickets issued", told["issue"].items())]
    for polls_ in told["polls"]:
        tables.append(Table([f"polls, {polls_['inLine']:,} in line", *ARM_HEAD[1:]],
                            [arm_row(name, arm, arm["errors"]) for name, arm in polls_["arms"].items()]))
    return Section("The waiting room under a rush", tables, [
        f"ticket numbers without gaps or repeats: {'yes' if told['numbersAreRight'] else 'NO'}",
        f"{cost['polls']:,} polls: {cost['queries']} queries and {cost['messages']} messages, {cost['idleQueries']} and "
        f"{cost['idleMessages']} when idle as long",
        f"{streams['streams']:,} streams: {streams['kibEach']} KiB of nginx each, {streams['ticksPerSecond']} ticks a second "
        f"cost it {streams['cpuPercent']} % of a core; from an admission to the last listener {streams['lastHeardMs']} ms",
    ], plots)


def import_(told):
    alone, beside = told["interactive"]["alone"], told["interactive"]["besideImport"]
    rows = [["import", told["importPerSecond"], min(told["importRounds"]), max(told["importRounds"])],
            ["LOAD DATA", told["loadDataPerSecond"], min(told["loadDataRounds"]), max(told["loadDataRounds"])],
            ["the same file again", told["again"]["rowsPerSecond"], None, None]]
    return Section("Charges imported", [
        Table(["rows", "per second", "least", "most"], rows),
        Table(["interactive charges", "per second", "p50 ms", "p99 ms"],
              [["alone", alone["perSecond"], alone["p50Ms"], alone["p99Ms"]],
               ["beside an import", beside["perSecond"], beside["p50Ms"], beside["p99Ms"]]])], [
        f"killed {told['killed']['times']} times: {told['killed']['leftAfterwards']} rows were left to apply",
        f"money {'right' if told['isRight'] else 'WRONG'}",
    ], [Bars("import", "Charges imported, beside LOAD DATA", "rows a second", [tuple(row) for row in rows[:2]])])


def growth(told):
    section = Section("How cost grows")
    for axis in told["axes"]:
        section.tables.append(Table([axis["x"], "what", "per second", "p50 ms", "p99 ms", "errors"], [
            [point["x"], series["what"], point["perSecond"], point["p50Ms"], point["p99Ms"], point["errors"]]
            for series in axis["series"] for point in series["points"]]))
        section.plots.append(Curves(f"growth-{axis['axis']}", f"How cost grows with {axis['x']}", axis["x"], [
            (series["what"], [(point["x"], point["perSecond"], point["p50Ms"], point["p99Ms"])
                              for point in series["points"]]) for series in axis["series"]]))
    return section


def memory(told):
    return Section("Memory", [Table(
        ["process", "at rest MiB", "at full load MiB", "at the end MiB", "growth MiB an hour"],
        [[each["name"], each["restMiB"], each["loadMiB"], each["endMiB"], each["growthMiBPerHour"]]
         for each in told["processes"]])], [
        f"{told['minutes']} minutes of load, growth fitted after the first {told['warmUpSeconds']} s: "
        f"{told['answers']:,} answers, {told['errors']} errors"],
        [Course("memory", "Resident memory under load", "MiB",
                [(each["name"], [(at, mib) for at, mib in each["samples"]]) for each in told["processes"]])])


BENCHES = {"strategies": strategies, "http": http, "crowd": crowd, "line": line, "import": import_,
           "growth": growth, "memory": memory}
# What is not run by the program of its name.
PROGRAMS = {"crowd": "http"}
