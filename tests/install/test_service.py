"""The listener's service: what is written, and what is said where no service manager answers."""

import importlib.util
import os
import plistlib
import shlex
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from aitop.install import cli, forwarder, record, service, service_cli, uninstall
from aitop.listener import lifecycle


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AITOP_HOME", "AITOP_CONFIG", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "CLAUDE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(service, "is_mac", lambda: False)
    monkeypatch.setattr(lifecycle, "running", lambda: None)
    return tmp_path


@pytest.fixture
def system(monkeypatch):
    """A service manager that does what it is told, or fails with `problem`."""

    class System:
        calls = []  # noqa: RUF012
        problem = None

    def run(command):
        System.calls.append(command)
        return System.problem

    System.calls = []
    monkeypatch.setattr(service, "_run", run)
    return System


def aitop(*arguments, code=0):
    done = CliRunner().invoke(service_cli.service, arguments)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.parametrize(
    "program", [service.LISTENER, service.GATEWAY, service.WEB], ids=lambda one: one.noun
)
def test_the_unit_is_one_that_systemd_accepts(home, program):
    verify = shutil.which("systemd-analyze")
    if not verify:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "systemd-analyze is missing: install systemd"
        )
    unit = home / "aitop-test.service"
    unit.write_text(service.unit_text(program))
    done = subprocess.run(
        [verify, "verify", "--user", str(unit)], capture_output=True, text=True, timeout=50, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if "aitop-test" in line]
    assert complaints == []


def test_the_unit_runs_this_installation_under_watch(home):
    text = service.unit_text()
    assert f'ExecStart="{sys.executable}" "-P" "-m" "aitop" "listen"\n' in text
    assert f'Environment="AITOP_HOME={home}/.aitop"\n' in text
    assert f"ConditionPathExists=!{home}/.aitop/stopped\n" in text
    for line in ("Type=notify", "WatchdogSec=30", "Restart=on-failure", "NoNewPrivileges=yes"):
        assert f"{line}\n" in text


def test_special_characters_in_paths_stay_what_they_are(monkeypatch, home):
    monkeypatch.setenv("AITOP_HOME", f'{home}/100% "a" \\b')
    assert f'Environment="AITOP_HOME={home}/100%% \\"a\\" \\\\b"' in service.unit_text()


def test_each_home_has_a_service_of_its_own(monkeypatch, home):
    usual = service.path()
    assert usual == f"{home}/.config/systemd/user/aitop.service"
    monkeypatch.setenv("AITOP_HOME", f"{home}/other")
    assert service.path() != usual


def test_installing_writes_enables_and_starts(home, system):
    said = aitop("install")
    assert f"wrote {home}/.config/systemd/user/aitop.service" in said
    assert "is running" in said
    assert system.calls[-1] == ["systemctl", "--user", "enable", "--now", "aitop.service"]
    assert record.load().service == service.path()


def test_without_a_reachable_manager_the_unit_is_written_and_the_command_told(home, system):
    system.problem = "Failed to connect to bus"
    said = aitop("install")
    assert (home / ".config/systemd/user/aitop.service").exists()
    assert "Failed to connect to bus" in said
    assert "systemctl --user daemon-reload && systemctl --user enable --now aitop.service" in said


def test_a_listener_that_ran_goes_on_where_no_manager_can_take_it_over(home, system, monkeypatch):
    did = []
    monkeypatch.setattr(lifecycle, "running", lambda: {"pid": 1})
    monkeypatch.setattr(lifecycle, "stop", lambda _seconds: did.append("stop"))
    monkeypatch.setattr(lifecycle, "start_detached", lambda: did.append("start"))
    monkeypatch.setattr(service, "status", lambda: (system.problem is None, ""))
    assert "as before" not in aitop("install")
    assert did == ["stop"]
    system.problem = "Failed to connect to bus"
    assert "until then a listener runs as before" in aitop("install")
    assert did == ["stop", "stop", "start"]


def test_uninstalling_removes_the_unit(home, system):
    aitop("install")
    assert "removed" in aitop("uninstall")
    assert not (home / ".config/systemd/user/aitop.service").exists()
    assert record.load() == record.Installed()
    assert "no service is installed" in aitop("uninstall")


def test_status_says_by_its_exit_code_whether_it_runs(home, system):
    assert "no service" in aitop("status", code=3)


def test_hooks_start_the_listener_through_the_service(home, system, monkeypatch):
    monkeypatch.setattr(forwarder, "choose", lambda: [forwarder.Proof("python", 1.0)])
    assert CliRunner().invoke(cli.install, ["--write"]).exit_code == 0
    hook = home / ".aitop" / "hook"
    assert "systemctl" not in hook.read_text()
    aitop("install")
    assert "systemctl --user start --no-block aitop.service" in hook.read_text()
    aitop("uninstall")
    assert "systemctl" not in hook.read_text()


def test_a_launch_through_a_dead_manager_falls_back_to_a_start(home, system):
    aitop("install")
    command = service.launch_command()
    assert command[:2] == ["/bin/sh", "-c"]
    assert command[2].endswith(
        f"|| exec {shlex.join([*service.listener_command('start'), '--quiet', '--from-hook'])}"
    )


def test_the_agent_of_macos_is_a_plist_that_keeps_it_running(monkeypatch, home, system):
    monkeypatch.setattr(service, "is_mac", lambda: True)
    aitop("install")
    with open(service.path(), "rb") as file:
        agent = plistlib.load(file)
    assert service.path() == f"{home}/Library/LaunchAgents/local.aitop.listener.plist"
    assert agent["ProgramArguments"] == [sys.executable, "-P", "-m", "aitop", "listen"]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["EnvironmentVariables"]["AITOP_HOME"] == f"{home}/.aitop"
    assert system.calls[-1][:2] == ["launchctl", "bootstrap"]
    aitop("uninstall")
    assert not os.path.exists(service.path())


def test_the_gateway_has_a_service_of_its_own(home, system):
    pytest.importorskip("aiohttp")
    said = aitop("install", "--gateway")
    unit = home / ".config/systemd/user/aitop-gateway.service"
    assert f"wrote {unit}" in said and "the gateway now starts" in said
    assert f'ExecStart="{sys.executable}" "-P" "-m" "aitop" "gateway"\n' in unit.read_text()
    assert "ConditionPathExists" not in unit.read_text()
    assert system.calls[-1] == ["systemctl", "--user", "enable", "--now", "aitop-gateway.service"]
    assert not os.path.exists(service.path())
    assert "removed" in aitop("uninstall", "--gateway")
    assert not unit.exists()
    assert "service install gateway" in aitop("status", "--gateway", code=3)


def test_uninstalling_aitop_takes_the_gateways_service_too(home, system):
    pytest.importorskip("aiohttp")
    aitop("install", "--gateway")
    assert CliRunner().invoke(uninstall.uninstall).exit_code == 0
    assert not os.path.exists(service.path(service.GATEWAY))


def test_the_web_server_gets_a_service_of_its_own_and_uninstalling_aitop_takes_it(home, system):
    pytest.importorskip("aiohttp")
    assert "`aitop web` opens its pages" in aitop("install", "web")
    with open(service.path(service.WEB)) as file:
        assert f'ExecStart="{sys.executable}" "-P" "-m" "aitop" "web"\n' in file.read()
    assert system.calls[-1] == ["systemctl", "--user", "enable", "--now", "aitop-web.service"]
    assert CliRunner().invoke(uninstall.uninstall).exit_code == 0
    assert not os.path.exists(service.path(service.WEB))
    assert "service install web" in aitop("status", "web", code=3)


def test_a_gateway_without_its_extra_gets_no_service(home, system, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert "needs aiohttp: " in aitop("install", "--gateway", code=1)
    assert system.calls == []
