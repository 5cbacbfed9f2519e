"""What the processes of an instance tell on their metrics ports."""

import http.client
import re

SERIES = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{.*\})?) (\S+)$')


def addresses(instance):
    """{process: "host:port"}, as ./boxoffice env tells them."""
    return dict(word.split("=", 1) for word in instance.values["BOXOFFICE_METRICS"].split())


def ask(address, path="/metrics", method="GET", body=None):
    """(status, headers, body) of one request."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def parse(text):
    """{series with its labels: value}; a line that is neither series nor comment is an error."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        series, value = SERIES.match(line).groups()
        assert series not in found, f"{series} is there twice"
        found[series] = float(value)
    return found


class Metrics:
    """Reads all processes, or those of a role."""

    def __init__(self, instance):
        self.addresses = addresses(instance)

    def of(self, process):
        status, _, text = ask(self.addresses[process])
        assert status == 200
        return parse(text)

    def roles(self, role):
        return {name: self.of(name) for name in self.addresses if name.startswith(f"{role}-")}

    def total(self, role, series):
        """The sum over all processes of a role; a series that is not there counts 0."""
        return sum(values.get(series, 0) for values in self.roles(role).values())
