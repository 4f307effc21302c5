"""`aitop doctor`: each fault is found, named with its file, and comes with what to do."""

import json
import os
import socket
import threading

import pytest
from click.testing import CliRunner

from aitop import __version__
from aitop.fleet import service
from aitop.history import schema
from aitop.install import (
    checks,
    checks_client,
    checks_gateway,
    checks_listener,
    checks_web,
    cli,
    doctor,
    forwarder,
)
from aitop.install.findings import FAIL, OK, RESTART, WARN
from aitop.install.init import init
from aitop.listener import lifecycle
from aitop.system import installation

NOW = 1_000_000.0
STATE = {
    "version": 1, "written_at": NOW - 1, "listener": {"pid": os.getpid(), "version": __version__},
    "providers": ["claude-code"],
    "prices": {"as_of": "2026-11-20", "stale": False, "unpriced_models": [], "estimated_models": []},
    "sessions": [{
        "id": "5f0c0000-0000-4000-8000-000000000000", "provider": "claude-code", "project": "topsecret",
        "cwd": "/home/jane/topsecret", "branch": "topsecret", "tag": "topsecret", "title": "topsecret",
        "model": "claude-opus-5-5", "status": "idle", "requests": 3, "cost_usd": 1.5,
    }],
    "today": {"cost_usd": 1.5, "requests": 3},
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("d")
    monkeypatch.setenv("HOME", str(folder))
    for name in ("AITOP_HOME", "AITOP_CONFIG", "CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(forwarder, "choose", lambda: [forwarder.Proof("python", 1.0)])
    monkeypatch.setattr(forwarder, "prove_kind", lambda kind: forwarder.Proof(kind, 1.0))
    monkeypatch.setattr(checks_client, "MANAGED_FOLDERS", (str(folder / "managed"),))
    monkeypatch.setattr(lifecycle, "running", lambda: STATE["listener"])
    return folder


@pytest.fixture
def installed(home):
    """A home where all is well."""
    assert CliRunner().invoke(cli.install, ["--write"]).exit_code == 0
    publish(home)
    return home


def publish(home, **changes):
    path, state = home / ".aitop" / "state.json", STATE | changes
    path.write_text(json.dumps(state))
    os.utime(path, (state["written_at"],) * 2)  # a renewed time would count as written then


def found(check=None):
    return [f for f in checks.run(checks.context(NOW)) if check is None or f.check == check]


def problem(check, level=FAIL):
    (finding,) = [finding for finding in found(check) if finding.level == level]
    assert finding.remedy
    return finding.text


def test_a_sound_installation_has_nothing_that_fails(installed):
    assert [finding for finding in found() if finding.level == FAIL] == []
    assert {"settings", "listener", "forwarder", "prices", "home"} <= {
        f.check for f in found() if f.level == OK
    }


def test_settings_that_cannot_be_parsed_fail_with_the_line(installed):
    (installed / ".claude" / "settings.json").write_text("{\n bad\n}")
    assert "line 2" in problem("settings")


def test_missing_hooks_are_named(installed):
    path = installed / ".claude" / "settings.json"
    data = json.loads(path.read_text())
    del data["hooks"]["Stop"]
    path.write_text(json.dumps(data))
    assert "no hook for Stop" in problem("settings", WARN)
    path.write_text("{}")
    assert "no hooks of aitop" in problem("settings", WARN)


@pytest.mark.parametrize("key", ["disableAllHooks", "allowManagedHooksOnly", "strictPluginOnlyCustomization"])
@pytest.mark.parametrize("place", [".claude/settings.local.json", "managed/managed-settings.json",
                                   "managed/managed-settings.d/10-team.json"])  # fmt: skip
def test_a_switch_that_stops_hooks_is_found_wherever_it_is(installed, key, place):
    path = installed / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({key: True}))
    text = problem("managed settings")
    assert key in text
    assert str(path) in text


def test_a_forwarder_that_fails_here_and_now_is_found(installed, monkeypatch):
    monkeypatch.setattr(
        forwarder, "prove_kind", lambda kind: forwarder.Proof(kind, 0.0, "no listener: took 900 ms")
    )
    assert "took 900 ms" in problem("forwarder")


def test_a_script_that_cannot_run_is_found(installed):
    (installed / ".aitop" / "statusline").unlink()
    assert "cannot be executed" in problem("forwarder")


def test_a_script_of_another_installation_is_found(installed):
    path = installed / ".aitop" / "hook"
    path.write_text(path.read_text().replace(forwarder.package_folder(), "/elsewhere"))
    assert "another installation" in problem("forwarder")


def test_no_listener_is_a_failure_and_says_when_it_was_stopped(installed, monkeypatch):
    monkeypatch.setattr(lifecycle, "running", lambda: None)
    assert "no listener runs" in problem("listener")
    (installed / ".aitop" / "stopped").touch()
    assert "you stopped it" in problem("listener")


def test_an_old_state_is_a_failure(installed):
    publish(installed, written_at=NOW - 60)
    assert "numbers 60 s ago" in problem("listener")
    (installed / ".aitop" / "state.json").write_text("{broken")
    assert "publishes nothing" in problem("listener")


def test_another_version_of_the_listener_is_noticed(installed, monkeypatch):
    monkeypatch.setattr(lifecycle, "running", lambda: {"pid": os.getpid(), "version": "0.0.1"})
    assert __version__ in problem("listener", WARN)


def test_a_home_or_socket_open_to_others_fails(installed):
    (installed / ".aitop").chmod(0o755)
    assert "other users can look" in problem("home")
    (installed / ".aitop").chmod(0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(installed / ".aitop" / "claudecode.sock"))
        (installed / ".aitop" / "claudecode.sock").chmod(0o666)
        assert "open to other users" in problem("home")


def test_a_home_on_a_network_or_a_full_disk_fails(installed, monkeypatch):
    monkeypatch.setattr(lifecycle, "file_system", lambda _: "nfs4")
    assert "nfs4" in problem("home")
    monkeypatch.setattr(lifecycle, "file_system", lambda _: "ext4")
    monkeypatch.setattr(checks_listener, "LOW_DISK", 1 << 62)
    assert "are free" in problem("home")


def test_a_configuration_error_names_file_line_and_key(installed):
    path = installed / ".config" / "aitop" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('billing = "api"\npreste = "full"\n')
    assert f"{path}:2: preste" in problem("configuration")


def test_stale_prices_and_unknown_models_are_named(installed):
    publish(
        installed,
        prices={"as_of": "2026-01-01", "stale": True, "unpriced_models": ["x-1"], "estimated_models": []},
    )
    texts = [finding.text for finding in found("prices") if finding.level == WARN]
    assert any("2026-01-01" in text for text in texts)
    assert any("x-1" in text for text in texts)


def test_unread_lines_and_files_are_counted(installed):
    publish(installed, doctor={"bad_lines": 4, "unread_files": ["/a", "/b"]})
    texts = [finding.text for finding in found("reading")]
    assert any("4 lines" in text for text in texts)
    assert any("2 files" in text for text in texts)


def test_a_file_that_is_not_whole_json_is_called_that(installed):
    half = installed / "half.json"
    half.write_text('{"a": ')
    publish(installed, doctor={"unread_files": [str(half), "/not/there"]})
    texts = [finding.text for finding in found("reading")]
    assert texts == [
        f"a file of the clients cannot be read: it is no whole JSON document: {half}",
        "a file of the clients cannot be read: No such file or directory: /not/there",
    ]


def test_a_damaged_history_is_found_and_a_sound_one_is_well(installed):
    path = installed / ".aitop" / "history.db"
    schema.connect(str(path)).close()
    assert [finding.level for finding in found("history")] == [OK]
    path.write_bytes(b"no database at all" * 100)
    assert "not a database" in problem("history")


def test_the_size_of_a_history_counts_its_write_ahead_log(installed):
    path = installed / ".aitop" / "history.db"
    with schema.connect(str(path)) as db:
        db.execute("CREATE TABLE filler (text)")
        db.execute("INSERT INTO filler VALUES (?)", ("x" * 600_000,))
        db.commit()
        log = os.path.getsize(f"{path}-wal")
        assert log > 600_000
        (finding,) = found("history")
    db.close()
    assert int(finding.text.split()[-2]) * 1024 >= log


def test_a_history_that_another_version_wrote_is_left_alone(installed):
    with schema.connect(str(installed / ".aitop" / "history.db")) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    (finding,) = found("history")
    assert finding.level == FAIL
    assert "version 99" in finding.text
    assert "Upgrade this copy" in finding.text


def test_a_history_that_cannot_be_written_is_told(installed):
    publish(installed, doctor={"history_error": "database or disk is full"})
    assert "database or disk is full" in problem("history")


def test_a_restored_history_is_told_while_the_damaged_file_is_kept(installed):
    aside = installed / ".aitop" / "history.damaged-20260921T000000Z.db"
    aside.touch()
    told = {
        "file": aside.name,
        "backup": "history.backup-1.db",
        "rows": 3,
        "at": NOW,
        "incomplete_days": ["2026-09-20"],
    }
    publish(installed, doctor={"history_restored": told})
    assert "restored from history.backup-1.db; incomplete: 2026-09-20" in found("history")[0].text
    aside.unlink()
    assert found("history") == []


def test_a_check_that_stumbles_is_a_finding_and_not_a_crash(installed, monkeypatch):
    def stumble(_):
        raise RuntimeError("oh")
        yield

    monkeypatch.setitem(checks.CHECKS, "prices", stumble)
    assert "RuntimeError: oh" in found("prices")[0].text


def test_the_exit_code_says_whether_anything_failed(installed, monkeypatch):
    monkeypatch.setattr(doctor.time, "time", lambda: NOW)
    assert CliRunner().invoke(doctor.doctor).exit_code == 0
    monkeypatch.setattr(lifecycle, "running", lambda: None)
    done = CliRunner().invoke(doctor.doctor)
    assert done.exit_code == 1
    assert "aitop start\n" in done.output
    findings = json.loads(CliRunner().invoke(doctor.doctor, ["--json"]).output)
    assert {"check", "level", "text", "remedy", "details"} == set(findings[0])


def test_a_report_tells_a_stranger_nothing_about_the_user(installed, monkeypatch):
    monkeypatch.setattr(doctor.time, "time", lambda: NOW)
    (installed / ".aitop" / "aitop.log").write_text("2026 ERROR topsecret at /home/jane\n2026 INFO hush\n")
    publish(
        installed,
        doctor={"bad_lines": 1, "unread_files": [f"{installed}/.claude/projects/-h-topsecret/x.jsonl"]},
    )
    text = CliRunner().invoke(doctor.doctor, ["--report"]).output
    bundle = json.loads(text)
    for secret in ("topsecret", "jane", "hush", "5f0c0000", str(installed)):
        assert secret not in text
    assert bundle["state"]["sessions"][0]["requests"] == 3
    assert bundle["log_kinds"] == {"ERROR": 1, "INFO": 1}
    assert any("~/.aitop" in check["text"] for check in bundle["checks"])


def test_requests_without_usage_are_told_apart_from_models_without_a_price(installed):
    prices = {
        "as_of": "2026-11-20",
        "stale": False,
        "unpriced_models": ["no usage: gpt-5"],
        "estimated_models": [],
    }
    publish(installed, prices=prices)
    assert problem("prices", WARN) == "requests without usage: gpt-5"


def configure_gateway(installed, port):
    folder = installed / ".config" / "aitop"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'[gateway]\nport = {port}\nupstreams.lab = "http://127.0.0.1:9"\n')


def test_a_configured_gateway_that_does_not_answer(installed):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        configure_gateway(installed, probe.getsockname()[1])
    assert "nothing answers" in problem("gateway", WARN)


@pytest.mark.slow
def test_a_configured_gateway_that_answers(installed, tmp_path):
    pytest.importorskip("aiohttp")
    from support.upstream import Gateway

    running = Gateway(tmp_path / "g", "--upstream", "http://127.0.0.1:9")
    try:
        configure_gateway(installed, running.port)
        assert "does not know lab" in problem("gateway", WARN)
    finally:
        running.close()


def test_a_gateway_of_which_only_the_service_is_there_is_missed_too(installed, monkeypatch):
    monkeypatch.setattr(checks_gateway.units, "is_installed", lambda _: True)
    monkeypatch.setattr(checks_gateway, "_asked", lambda _: None)
    assert "nothing answers" in problem("gateway", WARN)


def test_without_upstreams_nothing_is_said_of_a_gateway(installed):
    assert found("gateway") == []


def serve_web(installed, monkeypatch, port):
    folder = installed / ".config" / "aitop"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f"[web]\nport = {port}\n")
    monkeypatch.setattr(checks_web.units, "is_installed", lambda program: program is checks_web.units.WEB)


def test_a_web_server_with_a_service_that_does_not_answer(installed, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        serve_web(installed, monkeypatch, probe.getsockname()[1])
    assert "nothing answers" in problem("web", WARN)


@pytest.mark.slow
def test_a_web_server_with_a_service_that_answers(installed, monkeypatch):
    pytest.importorskip("aiohttp")
    from support.web_site import Site

    running = Site(str(installed / ".aitop"))
    try:
        serve_web(installed, monkeypatch, running.port)
        assert [finding.level for finding in found("web")] == [OK]
    finally:
        running.end()


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.0 403 No\r\n\r\naitop: not you", b"HTTP/1.0 401 No\r\n\r\nhello", b"hm\n"]
)
def test_another_program_at_the_port_of_the_pages_is_named(installed, monkeypatch, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        serve_web(installed, monkeypatch, server.getsockname()[1])

        def one():
            peer, _ = server.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(answer)

        thread = threading.Thread(target=one)
        thread.start()
        assert "another program" in problem("web", WARN)
        thread.join()


def test_without_its_service_nothing_is_said_of_a_web_server(installed):
    assert found("web") == []


# -- the exporter --------------------------------------------------------------------------------------------------


def serve_metrics(home, enabled=True, **door):
    where = home / ".config" / "aitop" / "config.toml"
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(f"[fleet]\nenabled = {str(enabled).lower()}\n")
    publish(home, **({"doctor": {"fleet": door}} if door else {}))


def test_without_an_exporter_nothing_is_said_of_one(installed):
    assert found("exporter") == []


def test_a_running_exporter_is_named_with_its_address(installed):
    serve_metrics(installed, port=9464, problem=None)
    (finding,) = found("exporter")
    assert (finding.level, finding.text) == (OK, "metrics are served at 127.0.0.1:9464")


def test_an_exporter_that_cannot_listen_fails_with_the_reason(installed):
    serve_metrics(installed, port=None, problem="127.0.0.1:9464 is not available (Address already in use)")
    assert "127.0.0.1:9464 is not available" in problem("exporter")


def test_an_exporter_without_its_library_is_not_told_to_change_its_port(installed):
    serve_metrics(installed, port=None, problem=f"{service.MISSING}: pip install 'aitop-status[fleet]'")
    (finding,) = found("exporter")
    assert finding.level == FAIL
    assert finding.remedy == f"then {RESTART}"


def test_a_listener_that_does_not_know_of_its_exporter_yet_is_told(installed):
    serve_metrics(installed)
    assert "serves no metrics" in problem("exporter", WARN)


# -- what is counted, and what is shown ----------------------------------------------------------------------------


def coverage(**clients):
    whole = {"found": True, "counted": True, "reason": None, "files": 3, "unread": 0, "version_unknown": 0}
    return {"clients": {name: whole | row for name, row in clients.items()}, "responses": {}}


def test_each_client_that_is_here_is_named_with_its_folder_and_its_files(installed):
    (installed / ".codex" / "sessions").mkdir(parents=True)
    publish(installed, coverage=coverage(codex={"files": 7}))
    texts = [finding.text for finding in found("clients")]
    assert f"codex: 7 files in {installed}/.codex/sessions" in texts
    assert any(text.startswith("not here: ") and "gemini" in text for text in texts)


def test_where_no_client_is_here_the_folders_looked_at_are_named(installed):
    assert f"codex ({installed}/.codex/sessions)" in problem("clients", WARN)


def test_where_no_client_is_here_a_few_are_named_and_the_rest_is_listed_on_request(installed):
    (finding,) = found("clients")
    assert len(finding.text) < 500
    assert "kilo" not in finding.text
    assert any(line.startswith("kilo: ") for line in finding.details)
    short, long = (
        CliRunner().invoke(doctor.doctor, words).output.splitlines() for words in ([], ["--verbose"])
    )
    assert [line for line in long if line not in short] == [f"        {line}" for line in finding.details]
    assert max(map(len, short)) < 500
    (row,) = (
        row
        for row in json.loads(CliRunner().invoke(doctor.doctor, ["--report"]).output)["checks"]
        if row["details"]
    )
    assert len(row["details"]) == len(finding.details)


def test_folders_are_named_without_a_listener_too(installed):
    (installed / ".claude" / "projects").mkdir(parents=True)
    (installed / ".aitop" / "state.json").unlink()
    assert any(f"{installed}/.claude/projects" in finding.text for finding in found("clients"))


def test_a_client_that_cannot_be_counted_is_named_with_the_reason(installed):
    publish(installed, coverage=coverage(cursor={"counted": False, "reason": "it keeps no token counts"}))
    assert problem("clients", WARN) == "cursor is here and is not counted: it keeps no token counts"


def test_files_that_are_not_read_are_counted_with_the_reason(installed):
    row = {"unread": 2, "reason": "unknown format: version 9", "version_unknown": 2}
    publish(installed, coverage=coverage(codex=row))
    assert "codex: 2 of 3 files are not read: unknown format: version 9" in problem("clients", WARN)


@pytest.fixture
def shown(installed, monkeypatch):
    """A bash prompt that is set up and shows fresh numbers."""
    (installed / ".bashrc").write_text("PS1='$ '\n")
    assert CliRunner().invoke(init, ["bash", "--write"]).exit_code == 0
    segments = installed / ".aitop" / "segments"
    segments.mkdir()
    (segments / "bash").write_text("1 2 $3\n")
    os.utime(segments / "bash", (NOW + 10, NOW + 10))
    return installed


def test_a_display_that_is_set_up_and_fresh_has_a_row(shown):
    assert [(f.level, f.text) for f in found("displays")] == [
        (OK, f"bash: {shown}/.bashrc, its numbers are fresh")
    ]


def test_a_display_that_shows_nothing_fails(shown):
    os.utime(shown / ".aitop" / "segments" / "bash", (NOW - 1, NOW - 1))
    assert "bash: its numbers are not fresh" in problem("displays")
    (shown / ".aitop" / "segments" / "bash").unlink()
    assert "bash: its numbers are not fresh" in problem("displays")


def test_a_display_that_lost_our_lines_is_named_with_its_file(shown):
    (shown / ".bashrc").write_text("")
    assert f"bash: the lines of aitop are no longer in {shown}/.bashrc" in problem("displays", WARN)


def test_a_home_without_claude_code_is_not_told_to_connect_it(home, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert [f.text for f in found("settings")] == ["Claude Code is not here"]
    assert found("forwarder") == []


def test_a_remedy_names_the_command_of_this_copy(installed, monkeypatch):
    monkeypatch.setattr(lifecycle, "running", lambda: None)
    monkeypatch.setattr(installation, "command", lambda *words: "~/clone/.venv/bin/aitop")
    output = CliRunner().invoke(doctor.doctor).output
    assert "do this: ~/clone/.venv/bin/aitop start\n" in output
