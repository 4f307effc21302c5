"""A real Prometheus over three machines: one killed and started again, one whose clock is set."""

import glob
import json
import os
import re
import signal
import subprocess
import time

import pytest
from golden.home import ROOT, need
from support import lines
from support.fleet_homes import Machine, total, values
from support.prometheus import RULES, Prometheus

from aitop.fleet import queries
from aitop.gateway.journal import Entry
from aitop.providers.gateway.entry import Tokens, to_line

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
BUDGET = '[budgets.month]\nlimit_usd = 100\nperiod = "month"\n'


def responses(first, number, at, *, machine, model=lines.MODEL, **more):
    return [
        lines.assistant(
            f"msg_{machine}_{n}", at + n, request_id=f"req_{machine}_{n}", model=model,
            usage=lines.usage(output=100 + n, uncached=20, read=5000, write=300), **more,
        )
        for n in range(first, first + number)
    ]  # fmt: skip


@pytest.fixture
def clock(tmp_path):
    """Environment of a machine whose clock the test sets: `clock.set("+1d")`."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        need("libfaketime-is-missing", "libfaketime")
    stamp = tmp_path / "clock"
    stamp.write_text("+0\n")

    class Clock:
        environ = {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": str(stamp), "FAKETIME_NO_CACHE": "1",
                   "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}  # fmt: skip

        def set(self, how):
            fresh = tmp_path / "clock.new"
            fresh.write_text(how + "\n")
            os.replace(fresh, stamp)

    return Clock()


def journal(machine, at, first=0, number=4):
    """Requests of a gateway, which are timed; one of them failed."""
    folder = os.path.join(machine.home, "gateway", "openai")
    os.makedirs(folder, exist_ok=True)
    day = time.strftime("%Y-%m-%d", time.gmtime(at))
    with open(os.path.join(folder, f"{day}.jsonl"), "ab") as file:
        file.writelines(
            to_line(Entry(f"g{n}", at + n, "s1", "gpt-5", Tokens(1000, 200, 400), "stop",
                          duration_ms=900.0 + n, ttft_ms=200.0, cwd="/work/site"))
            for n in range(first, first + number)
        )  # fmt: skip
        file.write(
            to_line(Entry(f"e{first}", at, "s1", "gpt-5", error="rate_limit_exceeded", cwd="/work/site"))
        )


def grow(path, records):
    lines.append(path, *records)


def told(machine, **more):
    """What Claude Code's status line says: limits and context."""
    import socket

    payload = {"session_id": lines.SESSION, "workspace": {"project_dir": "/work/shop"},
               "rate_limits": {"five_hour": {"used_percentage": 85.0, "resets_at": time.time() + 3600}},
               **more}  # fmt: skip
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(os.path.join(machine.home, "claudecode.sock"))
        peer.sendall(json.dumps(payload).encode())


@pytest.fixture
def fleet(tmp_path, clock):
    now = time.time() - 900
    machines = [
        Machine(tmp_path, "alpha", config=BUDGET),
        Machine(tmp_path, "beta"),
        Machine(tmp_path, "gamma", **clock.environ),
    ]
    paths = [
        machine.transcript(responses(0, 40, now, machine=machine.name, cwd=f"/work/{project}"))
        for machine, project in zip(machines, ("shop", "site", "shop"), strict=True)
    ]
    machines[0].transcript(
        [*responses(100, 5, now, machine="x", model="never-heard-of-it"),
         lines.api_error("e1", now, session=lines.OTHER)],
        session=lines.OTHER, slug="-work-odd",
    )  # fmt: skip
    for machine in machines:
        machine.start()
    yield machines, paths
    for machine in machines:
        machine.stop()


def settled(prometheus, machines, requests, query="aitop:cost_usd:total"):
    """The fleet's total once it equals the histories, to the cent and far below. `requests`: all that were made."""
    prometheus.wait(lambda: sum(machine.requests() for machine in machines) == requests)
    wanted = sum(machine.spent() for machine in machines)
    prometheus.wait(lambda: abs((prometheus.value(query) or 0) - wanted) < 1e-6)
    return wanted


def test_the_fleet_is_the_sum_of_its_histories_through_a_kill_and_a_set_clock(fleet, clock, tmp_path):
    machines, paths = fleet
    journal(machines[0], time.time() - 600)
    for machine in machines:
        machine.wait(lambda text: total(text, "aitop_requests_total") >= 40)
    prometheus = Prometheus(tmp_path / "p", {machine.name: machine.port for machine in machines})
    try:
        first = settled(prometheus, machines, 3 * 40 + 5 + 4)
        assert first > 0.5
        now = time.time() - 300
        grow(paths[0], responses(40, 10, now, machine="alpha", cwd="/work/shop"))
        grow(paths[1], responses(40, 10, now, machine="beta", cwd="/work/site"))
        machines[1].kill()
        grow(paths[1], responses(50, 10, now, machine="beta", cwd="/work/site"))
        clock.set("-1d")
        grow(paths[2], responses(40, 10, now, machine="gamma", cwd="/work/shop"))
        time.sleep(2)
        clock.set("+2d")
        told(machines[0])
        journal(machines[0], time.time(), 10)
        machines[1].start()
        second = settled(prometheus, machines, 50 + 60 + 50 + 5 + 8)
        assert second > first
        # a scrape that takes longer than its second leaves a machine out of the raw sums until the next
        raw = "sum(aitop_cost_usd_total) - (sum(aitop_cost_usd_corrected) or vector(0))"
        prometheus.wait(lambda: abs(prometheus.value(raw) - second) < 1e-6)
        prometheus.wait(lambda: prometheus.value("sum(aitop_requests_total)") == 50 + 60 + 50 + 5 + 8)
        never_fell(prometheus)
        every_query_answers(prometheus, machines[0], paths[0])
        rules_are_healthy(prometheus)
        read_back(prometheus, machines, second)
    finally:
        prometheus.close()


def read_back(prometheus, machines, total):
    """`report --fleet` asks; `top --fleet`, the state and a segment have what the listener asked."""
    alpha = machines[0]
    with open(alpha.config) as file:
        text = file.read().replace("[fleet]", f'[fleet]\nread = "{prometheus.url}"\nread_seconds = 5')
    with open(alpha.config, "w") as file:
        file.write(text)
    found = alpha.run("report", "--fleet", "--json")
    assert found.returncode == 0, found.stderr
    answer = json.loads(found.stdout)
    assert abs(answer["total_usd"] - total) < 1e-6
    assert answer["recorded"] is True
    assert {row["name"] for row in answer["project"]} == {"shop", "site"}
    assert abs(sum(row["total_usd"] or 0 for row in answer["model"]) - total) < 1e-6
    assert [one["stale"] for one in answer["machines"]] == [False] * 3
    assert answer["limits"][0]["used_percent"] == 85
    alpha.process.send_signal(signal.SIGHUP)
    prometheus.wait(lambda: (alpha.state().get("fleet") or {}).get("total_usd"))
    state = alpha.state()["fleet"]
    assert abs(state["total_usd"] - total) < 1e-6
    assert (state["machines"], state["stale_machines"], state["problem"]) == (3, 0, None)
    shown = alpha.run("top", "--fleet", "--once")
    assert shown.returncode == 0, shown.stderr
    assert "3 machines" in shown.stdout
    assert "claude-opus-4-6" in shown.stdout
    assert alpha.run("tmux", "--format", "{fleet_total}").stdout.strip().endswith(f"${total:.2f}")


def never_fell(prometheus):
    found = prometheus.query("max(resets(aitop_cost_usd_total[10m])) + max(resets(aitop_tokens_total[10m]))")
    assert found[0][1] == 0


def every_query_answers(prometheus, machine, path):
    asked = {panel.title: panel.expr for panel in queries.PANELS}
    asked |= {one.record: one.expr for one in queries.RECORDINGS}
    asked |= {rule.name: rule.value for rule in queries.ALERTS}
    asked |= {f"spent {recorded}": queries.spent("600s", recorded=recorded) for recorded in (True, False)}
    asked |= {"seen": queries.seen(), "known": queries.known(), "limits": queries.limits(),
              "resets": queries.resets(), "requests": queries.requests("host")}  # fmt: skip
    # the dashboard as it is imported asks nothing else
    with open(os.path.join(ROOT, "integrations", "grafana", "aitop.json")) as file:
        board = json.load(file)
    targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    assert sorted(targets) == sorted(panel.expr for panel in queries.PANELS)
    missing = dict(asked)

    def answered():
        for name, expression in list(missing.items()):
            plain = (
                expression.replace("${__range_s}", "600")
                .replace("$__rate_interval", "5m")
                .replace("$__range", "10m")
            )
            assert "$" not in plain, plain
            found = prometheus.query(plain)
            if found and all(value == value for _, value in found):
                del missing[name]
        return not missing

    try:
        prometheus.wait(answered, 30)
    except BaseException:
        print("no data:", missing)
        raise


def rules_are_healthy(prometheus):
    groups = json.loads(prometheus.ask("/api/v1/rules"))["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == len(queries.RECORDINGS) + len(queries.ALERTS)
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}, rules
    fired = {rule["name"] for rule in rules if rule["type"] == "alerting" and rule["state"] != "inactive"}
    assert {"AitopLimitNearlyUsed", "AitopUnpriced"} <= fired


def test_promtool_accepts_the_rules():
    need("promtool", "prometheus")
    found = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    count = re.search(r"(\d+) rules found", found.stdout)
    assert int(count[1]) == len(queries.RECORDINGS) + len(queries.ALERTS)


def test_promtool_accepts_the_metrics_in_both_forms(tmp_path):
    need("promtool", "prometheus")
    machine = Machine(tmp_path, "one", config=BUDGET)
    now = time.time()
    machine.transcript([*responses(0, 3, now - 60, machine="one"), lines.api_error("e", now)])
    journal(machine, now - 60)
    machine.start()
    try:
        text = machine.wait(lambda text: total(text, "aitop_requests_total") >= 7)
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
        assert values(text, "aitop_request_duration_seconds_bucket")
        modern = machine.scrape("application/openmetrics-text; version=1.0.0")
        assert modern.endswith("# EOF\n")
        assert values(modern, "aitop_cost_usd_created")
        assert total(modern) == total(text)
    finally:
        machine.stop()
