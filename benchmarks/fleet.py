"""What the exporter costs a listener, and a thousand simulated machines in one Prometheus.

A simulated machine is an address of one small server; its metrics are written by the exporter's own code, for 20
label sets that grow with each scrape. Prometheus is Debian's, with our rules. Ten thousand are extrapolated: series,
samples and memory grow with the machines; the time of a query with the series it reads.
"""

import contextlib
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks import homes
from benchmarks.client import Sessions
from benchmarks.harness import Row, missing

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RULES = os.path.join(HERE, "integrations", "prometheus", "aitop.rules.yml")
SETS, SCRAPE_SECONDS, TEN_THOUSAND = 20, 15, 10_000
CPU, MEMORY = 0.2, 6.0  # percent of a core at one scrape in 15 s; MB
EXPORTER = f"+ ≤ {CPU} % CPU, + ≤ {MEMORY:g} MB"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# -- one machine ------------------------------------------------------------------------------------------------------


def exporter(effort):
    """A listener at work, with the exporter off and on."""
    scrapes = effort.times(60, 20)
    off, on = (_watched(port, scrapes) for port in (None, free_port()))
    if off is None or on is None:
        yield missing("exporter on, scraped each 15 s", EXPORTER, "no /proc here")
        return
    per_scrape = (on[0] - off[0]) / scrapes
    percent, megabytes = 100 * per_scrape / SCRAPE_SECONDS, (on[1] - off[1]) / 1e6
    yield Row(
        "exporter on, scraped each 15 s while responses come", EXPORTER,
        f"+ {percent:.2f} % CPU, + {megabytes:.1f} MB", within=percent <= CPU and megabytes <= MEMORY,
        note=f"{per_scrape * 1000:.1f} ms a scrape, each with a history that has changed",
        values={"cpu_percent": percent, "rss_mb": megabytes, "scrape_ms": per_scrape * 1000},
    )  # fmt: skip


def _watched(port, scrapes):
    """(processor seconds, resident bytes) after so many seconds, with a response and a scrape in each."""
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        if port is not None:
            with open(os.path.join(home, "config.toml"), "w") as file:
                file.write(f"[fleet]\nenabled = true\nport = {port}\n")
        sessions = Sessions(claude, 20)
        sessions.respond(400, at=time.time() - 60)
        with homes.listening(home, claude) as listener:
            listener.until(homes.caught_up(400))
            time.sleep(3)
            began = _processor(listener.process.pid)
            for _ in range(scrapes):
                sessions.respond(1)
                if port is not None:
                    _scrape(port)
                time.sleep(1)
            ended, account = _processor(listener.process.pid), listener.account()
            return None if account is None else (ended - began, account[1])


def _scrape(port):
    peer = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    peer.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    peer.getresponse().read()
    peer.close()


def _processor(pid):
    """Seconds of the process, of threads that have ended too."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


# -- a thousand machines ----------------------------------------------------------------------------------------------


def text_of(number, growth):
    """What machine `number` serves after so many scrapes."""
    from aitop.fleet import exposition, names
    from aitop.fleet.ledger import Shown
    from aitop.fleet.readings import Gauge

    values = {}
    for n in range(SETS):
        labels = ("claude-code", f"model-{n % 4}", f"project-{(number * 7 + n) % 300}")
        done = growth * (n + 1) + number
        values["cost_usd", (*labels, "counted")] = done * 10**10
        values["requests", labels] = done
        for kind in names.TOKEN_TYPES:
            values["tokens", (*labels, kind)] = done * 1000
    buckets = {
        (metric.name, "claude-code"): [growth] * (len(names.BUCKETS) + 1) for metric in names.HISTOGRAMS
    }
    gauges = [Gauge(names.BUILD, ("1",), 1), Gauge(names.STATE_AGE, (), 0.5),
              Gauge(names.LIMIT_USED, ("claude-code", "", "five_hour"), 0.4),
              Gauge(names.LIMIT_RESETS, ("claude-code", "", "five_hour"), time.time() + 3600),
              *(Gauge(names.SESSIONS, (status,), 1) for status in ("working", "waiting", "idle", "ended"))]  # fmt: skip
    origin = exposition.Origin(f"user-{number}", f"host-{number}")
    shown = Shown(values, {}, buckets, 1_790_000_000.0)
    kind = exposition.OPENMETRICS
    parts = (exposition.counters(shown, origin), exposition.gauges(gauges, origin))
    return b"".join(exposition.written(part, kind) for part in parts) + exposition.end(kind)


@contextlib.contextmanager
def machines():
    """A server whose path names the machine: /N/metrics."""
    seen = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            number = int(self.path.split("/")[1])
            seen[number] = seen.get(number, 0) + 1
            body = text_of(number, seen[number])
            self.send_response(200)
            self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def prometheus(folder, port, count, interval):
    """Prometheus with our rules and so many targets; (its address, its process)."""
    mine = free_port()
    targets = [{"targets": [f"127.0.0.1:{port}"], "labels": {"instance": f"m{n}", "__metrics_path__": f"/{n}/metrics"}}
               for n in range(count)]  # fmt: skip
    with open(os.path.join(folder, "targets.json"), "w") as file:
        json.dump(targets, file)
    shutil.copy(RULES, os.path.join(folder, "rules.yml"))
    with open(os.path.join(folder, "prometheus.yml"), "w") as file:
        file.write(
            f"global: {{scrape_interval: {interval}s, scrape_timeout: {interval}s, evaluation_interval: 30s}}\n"
            "rule_files: [rules.yml]\nscrape_configs:\n  - job_name: aitop\n"
            "    file_sd_configs: [{files: [targets.json]}]\n"
        )
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         f"--web.listen-address=127.0.0.1:{mine}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{mine}", process
    finally:
        process.terminate()
        process.wait(60)


def ask(url, expression):
    """([value of each result], seconds it took); ([], 0) while it does not answer."""
    began = time.perf_counter()
    try:
        body = urllib.parse.urlencode({"query": expression}).encode()
        with urllib.request.urlopen(f"{url}/api/v1/query", body, timeout=120) as answer:
            found = json.loads(answer.read())["data"]["result"]
    except (OSError, ValueError):
        return [], 0.0
    return [float(one["value"][1]) for one in found], time.perf_counter() - began


def simulated(effort):
    """Machines into one Prometheus: series, ingest, memory, and how long the dashboard's queries take."""
    from aitop.fleet import queries

    count, interval = effort.times(1000, 100), effort.times(60, 10)
    what = f"{count:,} machines in one Prometheus"
    if shutil.which("prometheus") is None:
        yield missing(what, "", "prometheus is missing: apt-get install prometheus")
        return
    with (
        homes.folder() as folder,
        machines() as port,
        prometheus(folder, port, count, interval) as (url, process),
    ):
        deadline = time.monotonic() + 600
        while ask(url, "count(aitop_build_info)")[0] != [count] and time.monotonic() < deadline:
            time.sleep(2)
        used = _processor(process.pid)
        began = time.monotonic()
        time.sleep(2 * interval + 35)  # two scrapes and an evaluation of the rules
        busy = (_processor(process.pid) - used) / (time.monotonic() - began)
        series = ask(url, "count({__name__=~'aitop.*'})")[0]
        scrape = ask(url, "quantile(0.95, scrape_duration_seconds)")[0]
        account = homes.account(process.pid)
        took = []
        for panel in queries.PANELS:
            plain = (
                panel.expr.replace("${__range_s}", "300")
                .replace("$__rate_interval", "4m")
                .replace("$__range", "5m")
            )
            took += [ask(url, plain)[1] for _ in range(3)]
    if not series or account is None:
        yield missing(what, "", "it did not take all of them within ten minutes")
        return
    yield _row(what, count, interval, series[0], account[1] / 1e6, busy, took, scrape[0] if scrape else 0.0)


def _row(what, count, interval, series, megabytes, busy, took, scrape):
    middle, worst = statistics.median(took), max(took)
    times = TEN_THOUSAND / count
    said = (
        f"{series:,.0f} series, {series / interval:,.0f} samples/s, {megabytes:,.0f} MB, {100 * busy:.0f} % of a core; "
        f"a panel {1000 * middle:.0f} ms, the slowest {1000 * worst:.0f} ms"
    )
    note = (
        f"10,000, extrapolated linearly: {series * times / 1e6:.1f} M series, {megabytes * times / 1000:.0f} GB, "
        f"{busy * times:.1f} cores, the slowest panel {worst * times:.1f} s"
    )
    values = {"machines": count, "series": series, "rss_mb": megabytes, "cores": busy, "scrape_p95_s": scrape,
              "panel_median_s": middle, "panel_worst_s": worst, "interval_s": interval}  # fmt: skip
    return Row(what, "", said, note=note, values=values)


if __name__ == "__main__":  # one machine's text, to look at
    sys.stdout.buffer.write(text_of(1, 5))
