"""`aitop export prometheus`, and what leaves with it."""

import os
import sqlite3
import subprocess
import sys
import time

import pytest
from golden.home import ROOT
from support import lines
from support.fleet_homes import Machine, total, values

from aitop.fleet import names

pytestmark = pytest.mark.slow


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path, "one", config="")
    yield made
    made.stop()


def filled(machine, number=20, **more):
    now = time.time() - 600
    path = machine.transcript(
        [lines.assistant(f"m{n}", now + n, request_id=f"r{n}", usage=lines.usage(read=1000, write=10), **more)
         for n in range(number)]
    )  # fmt: skip
    assert machine.run("report", "models", "--json").returncode == 0
    return path


def test_a_textfile_is_replaced_in_one_step_and_readable_by_the_collector(machine, tmp_path):
    filled(machine)
    target = tmp_path / "aitop.prom"
    found = machine.run("export", "prometheus", "--textfile", str(target))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert os.stat(target).st_mode & 0o777 == 0o644
    text = target.read_text()
    assert total(text) == pytest.approx(machine.spent())
    assert total(text, "aitop_requests_total") == 20
    assert [path for path in os.listdir(tmp_path) if path.startswith(".aitop.prom")] == []


def test_an_unwritable_textfile_is_a_plain_error(machine, tmp_path):
    filled(machine, 1)
    found = machine.run("export", "prometheus", "--textfile", str(tmp_path / "no" / "such.prom"))
    assert found.returncode == 1
    assert "No such file or directory" in found.stderr
    assert "Traceback" not in found.stderr


def test_without_a_history_it_says_what_to_do(machine):
    found = machine.run("export", "prometheus")
    assert found.returncode == 1
    assert "aitop start" in found.stderr


def test_without_the_library_it_says_how_to_add_it(machine, tmp_path):
    filled(machine, 1)
    (tmp_path / "shadow" / "prometheus_client").mkdir(parents=True)
    (tmp_path / "shadow" / "prometheus_client" / "__init__.py").write_text("raise ModuleNotFoundError('no')")
    environ = machine.environ | {"PYTHONPATH": f"{tmp_path / 'shadow'}:{ROOT}"}
    found = subprocess.run([sys.executable, "-m", "aitop", "export", "prometheus"], env=environ, capture_output=True,
                           text=True, cwd=str(tmp_path))  # fmt: skip
    assert found.returncode == 1
    assert "prometheus_client" in found.stderr
    assert "install" in found.stderr


def test_no_session_and_no_path_ever_leaves(machine):
    filled(machine)
    text = machine.run("export", "prometheus").stdout
    assert lines.SESSION not in text
    assert "/work" not in text
    assert "claude_code_" not in text


def test_every_metric_that_leaves_is_in_the_table(machine):
    filled(machine)
    text = machine.run("export", "prometheus").stdout
    known = {metric.family for metric in names.METRICS} | {metric.sample for metric in names.METRICS}
    found = {
        line.split()[2].removesuffix("_created") for line in text.splitlines() if line.startswith("# TYPE")
    }
    assert found <= known
    assert {"aitop_cost_usd_total", "aitop_tokens_total", "aitop_build_info"} <= found


def test_labels_leave_as_the_configuration_shapes_them(machine):
    with open(machine.config, "a") as file:
        file.write('project = "hashed"\nuser = "off"\nhost = "listed"\nlisted = ["host=elsewhere"]\n')
    filled(machine)
    text = machine.run("export", "prometheus").stdout
    assert 'project="shop"' not in text
    assert 'user=""' in text
    assert 'host="other"' in text


def test_a_correction_is_told_and_the_counter_stays(machine):
    path = filled(machine)
    before = machine.run("export", "prometheus").stdout
    with sqlite3.connect(os.path.join(machine.home, "history.db")) as db:
        db.execute("UPDATE session_sum SET cost = cost - 1000000000")
    after = machine.run("export", "prometheus").stdout
    assert total(after) == total(before)
    assert total(after, "aitop_cost_usd_corrected") == pytest.approx(0.001)
    assert path


def test_counters_go_on_through_a_kill_and_a_new_install_of_the_listener(machine):
    path = filled(machine)
    machine.start()
    first = machine.wait(lambda text: total(text, "aitop_requests_total") == 20)
    machine.kill()
    lines.append(path, lines.assistant("new", time.time(), request_id="rn"))
    assert machine.run("uninstall").returncode == 0
    machine.start()
    machine.scrape_soon = machine.wait(lambda text: "aitop_requests_total" in text)
    lowest = total(machine.scrape_soon, "aitop_requests_total")
    assert lowest >= 20
    second = machine.wait(lambda text: total(text, "aitop_requests_total") == 21)
    created = "aitop_cost_usd_created"
    assert values(first, created) == values(second, created)


def test_after_a_reset_of_the_history_the_counters_begin_anew_and_say_when(machine):
    filled(machine)
    first = machine.run("export", "prometheus").stdout
    moment = time.time()
    assert machine.run("history", "reset", "--yes", input="y\n").returncode == 0
    os.unlink(os.path.join(machine.root, "projects", "-work-shop", f"{lines.SESSION}.jsonl"))
    machine.transcript([lines.assistant("only", moment, request_id="ro")])
    assert machine.run("report", "models", "--json").returncode == 0
    second = machine.run("export", "prometheus").stdout
    assert total(second, "aitop_requests_total") == 1
    assert total(first, "aitop_requests_total") == 20
    assert min(values(second, "aitop_requests_created").values()) >= moment - 1


def test_steps_keep_a_persons_minutes_to_themselves(machine):
    with open(machine.config, "a") as file:
        file.write("step_minutes = 100000000\n")
    path = filled(machine)
    machine.start()
    machine.wait(lambda text: total(text, "aitop_requests_total") == 20)
    lines.append(path, lines.assistant("new", time.time(), request_id="rn"))
    deadline = time.monotonic() + 20
    while machine.requests() < 21 and time.monotonic() < deadline:
        time.sleep(0.2)
    text = machine.scrape()
    assert machine.requests() == 21
    assert total(text, "aitop_requests_total") == 20
    assert "aitop_sessions" not in text
