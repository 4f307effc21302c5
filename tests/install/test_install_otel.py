"""`aitop install --otel`: telemetry is switched on without taking an exporter away, and off again exactly."""

import json
import os
import stat
import sys
import tomllib

import pytest
from click.testing import CliRunner

from aitop import paths
from aitop.install import checks_client, checks_otel, otel, record
from aitop.install.cli import install
from aitop.install.findings import FAIL, OK, WARN, Context
from aitop.install.otel import Wanted
from aitop.install.settings import Unexpected
from aitop.receiver import token

WANTED = Wanted(4319, "t0ken")
OURS = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/json",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:4319/v1/logs",
    "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x-aitop-token=t0ken",
    "OTEL_LOGS_EXPORT_INTERVAL": "1000",
}
THEIRS = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer x",
}


# -- the settings, as data ---------------------------------------------------------------------------------------


def test_only_the_variables_of_logs_are_set():
    new, written = otel.merge({"model": "opus"}, WANTED)
    assert new == {"model": "opus", "env": OURS}
    assert otel.remove(new, written) == {"model": "opus"}


def test_variables_of_others_stay():
    data = {
        "env": {
            "HTTP_PROXY": "http://p",
            "OTEL_LOGS_EXPORT_INTERVAL": "500",
            "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        }
    }
    new, written = otel.merge(data, WANTED)
    assert new["env"]["HTTP_PROXY"] == "http://p"
    assert new["env"]["OTEL_LOGS_EXPORT_INTERVAL"] == "500"
    assert otel.remove(new, written) == data


def test_another_exporter_beside_otlp_goes_on():
    data = {"env": {"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "OTEL_LOGS_EXPORTER": "console"}}
    new, written = otel.merge(data, WANTED)
    assert new["env"]["OTEL_LOGS_EXPORTER"] == "console,otlp"
    assert otel.remove(new, written) == data


@pytest.mark.parametrize("environ", [{}, THEIRS])
def test_an_exporter_of_logs_is_not_taken_away(environ):
    data = {} if environ else {"env": THEIRS}
    with pytest.raises(Unexpected, match="--forward https://collector.example$"):
        otel.merge(data, WANTED._replace(environ=environ))


def test_the_address_to_forward_to_is_the_one_without_the_signal():
    theirs = THEIRS | {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://c:4318/v1/logs"}
    with pytest.raises(Unexpected, match="--forward http://c:4318$"):
        otel.merge({"env": theirs}, WANTED)


def test_a_collector_behind_grpc_cannot_be_forwarded_to_as_it_is():
    with pytest.raises(Unexpected, match="by gRPC"):
        otel.merge({"env": THEIRS | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}}, WANTED)


def test_forwarded_logs_keep_their_form_and_their_headers():
    wanted = WANTED._replace(forward="https://collector.example")
    new, written = otel.merge({"env": THEIRS}, wanted)
    env = new["env"]
    assert env["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"] == "http/protobuf"
    assert env["OTEL_EXPORTER_OTLP_LOGS_HEADERS"] == "authorization=Bearer x,x-aitop-token=t0ken"
    assert {name: env[name] for name in THEIRS} == THEIRS
    assert otel.merge(new, wanted)[0] == new
    assert otel.remove(new, written) == {"env": THEIRS}


@pytest.mark.parametrize("switch", [{}, {"CLAUDE_CODE_ENABLE_TELEMETRY": "0"}])
def test_an_export_that_rests_is_not_started_by_the_way(switch):
    with pytest.raises(Unexpected, match="OTEL_METRICS_EXPORTER is set"):
        otel.merge({"env": {"OTEL_METRICS_EXPORTER": "otlp", **switch}}, WANTED)


def test_what_the_user_changed_since_stays():
    new, written = otel.merge({}, WANTED)
    new["env"]["OTEL_LOGS_EXPORT_INTERVAL"] = "9000"
    assert otel.remove(new, written) == {"env": {"OTEL_LOGS_EXPORT_INTERVAL": "9000"}}


def test_without_a_record_what_points_to_us_is_found():
    new, _ = otel.merge({"env": {"A": "b"}}, WANTED)
    assert otel.remove(new, {}) == {"env": {"A": "b"}}
    assert otel.remove({"env": THEIRS}, {}) == {"env": THEIRS}


# -- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def user(tmp_path, home, monkeypatch):
    """A home with Claude Code's settings in it; nothing of the tests' own environment."""
    for name in [name for name in os.environ if name.startswith(("OTEL_", "CLAUDE_CODE_ENABLE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AITOP_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    (tmp_path / ".claude").mkdir()
    return tmp_path


def run(*words, code=0):
    found = CliRunner().invoke(install, list(words))
    assert found.exit_code == code, found.output
    return found.output


SETTINGS = '{\n   "model" : "opus",\n   "env": {"A": "b"}\n}\n'


def test_shown_it_changes_nothing_and_makes_no_token(user, home):
    (user / ".claude" / "settings.json").write_text(SETTINGS)
    said = run("--otel")
    assert '"OTEL_LOGS_EXPORTER": "otlp"' in said
    assert "[otel.exporter.otlp-http]" in said
    assert (user / ".claude" / "settings.json").read_text() == SETTINGS
    assert not os.path.exists(os.path.join(home, paths.OTEL))
    assert not (user / "config.toml").exists()


def test_written_it_sets_settings_configuration_and_token(user, home):
    said = run("--otel", "--write")
    env = json.loads((user / ".claude" / "settings.json").read_text())["env"]
    made = token.read(home)
    assert env == OURS | {"OTEL_EXPORTER_OTLP_LOGS_HEADERS": f"x-aitop-token={made}"}
    assert tomllib.loads((user / "config.toml").read_text()) == {"otel": {"enabled": True}}
    assert f'headers = {{ "x-aitop-token" = "{made}" }}' in said


def test_the_settings_that_hold_the_token_are_new_ones_private(user):
    run("--otel", "--write")
    assert stat.S_IMODE((user / ".claude" / "settings.json").stat().st_mode) == 0o600


def test_the_port_is_the_configured_one(user):
    (user / "config.toml").write_text("[otel]\nport = 5000\n")
    run("--otel", "--write")
    env = json.loads((user / ".claude" / "settings.json").read_text())["env"]
    assert env["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"] == "http://127.0.0.1:5000/v1/logs"


@pytest.mark.parametrize("first", [["--write"], []])
def test_uninstalled_everything_is_as_it_was_to_the_byte(user, home, first):
    (user / ".claude" / "settings.json").write_text(SETTINGS)
    (user / "config.toml").write_text('# mine\nbilling = "api"\n')
    if first:
        run(*first)
    run("--otel", "--write")
    run("--uninstall")
    assert (user / ".claude" / "settings.json").read_text() == SETTINGS
    assert (user / "config.toml").read_text() == '# mine\nbilling = "api"\n'
    assert not os.path.exists(os.path.join(home, paths.OTEL))
    assert record.load().user_config is None


def test_uninstalled_alone_it_leaves_the_hooks(user, home):
    (user / ".claude" / "settings.json").write_text(SETTINGS)
    run("--write")
    connected = (user / ".claude" / "settings.json").read_text()
    run("--otel", "--write")
    assert "no telemetry any more" in run("--otel", "--uninstall")
    assert (user / ".claude" / "settings.json").read_text() == connected
    assert not (user / "config.toml").exists()
    assert not os.path.exists(os.path.join(home, paths.OTEL))
    run("--uninstall")
    assert (user / ".claude" / "settings.json").read_text() == SETTINGS


def test_settings_changed_since_lose_our_variables_only(user):
    path = user / ".claude" / "settings.json"
    run("--otel", "--write")
    data = json.loads(path.read_text())
    data["env"]["MINE"] = "1"
    path.write_text(json.dumps(data))
    run("--uninstall")
    assert json.loads(path.read_text()) == {"env": {"MINE": "1"}}


def test_a_configuration_changed_since_loses_our_keys_only(user):
    run("--otel", "--write")
    with open(user / "config.toml", "a") as file:
        file.write("port = 5000\n")
    run("--uninstall")
    assert tomllib.loads((user / "config.toml").read_text()) == {"otel": {"port": 5000}}


def test_a_key_of_the_configuration_that_was_changed_since_stays(user):
    run("--otel", "--write")
    (user / "config.toml").write_text("[otel]\nenabled = false\n")
    run("--otel", "--uninstall")
    assert (user / "config.toml").read_text() == "[otel]\nenabled = false\n"


def test_an_exporter_is_forwarded_to_when_the_user_says_so_and_comes_back(user, home):
    path = user / ".claude" / "settings.json"
    path.write_text(json.dumps({"env": THEIRS}))
    said = run("--otel", "--write", code=1)
    assert "aitop install --otel --forward https://collector.example" in said
    assert not os.path.exists(os.path.join(home, paths.OTEL))
    assert json.loads(path.read_text()) == {"env": THEIRS}
    run("--otel", "--forward", "https://collector.example", "--write")
    assert tomllib.loads((user / "config.toml").read_text())["otel"]["forward"] == "https://collector.example"
    run("--otel", "--write")
    run("--otel", "--uninstall")
    assert json.loads(path.read_text())["env"] == THEIRS


def test_written_twice_it_says_so_and_still_finds_the_way_back(user):
    path = user / ".claude" / "settings.json"
    path.write_text(SETTINGS)
    run("--otel", "--write")
    once = path.read_text()
    assert "is connected already" in run("--otel", "--write")
    assert path.read_text() == once
    run("--uninstall")
    assert path.read_text() == SETTINGS


@pytest.mark.parametrize("words", [["--forward", "http://x"], ["--otel", "--forward", "x"]])
def test_forward_goes_with_otel_and_is_an_address(user, words):
    run(*words, code=2)


# -- doctor ------------------------------------------------------------------------------------------------------


def findings(doctor_otel, root):
    context = Context(
        0.0, {"doctor": {"otel": doctor_otel}}, (str(root / ".claude"),), record.load(), prove=False
    )
    return [tuple(one[:2]) for one in checks_otel.telemetry(context)]


LISTENS = {"port": 4319, "problem": None, "received": 7, "rejected": 1, "records": 9, "forward": None}


def test_doctor_says_nothing_of_what_nobody_asked_for(user):
    run("--write")
    assert findings(None, user) == []


def test_doctor_finds_telemetry_in_order(user):
    run("--otel", "--write")
    path = user / ".claude" / "settings.json"
    assert findings(LISTENS, user) == [
        (OK, "127.0.0.1:4319: 7 taken, 1 refused"), (OK, f"{path}: sends telemetry here"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "level", "text"),
    [
        (lambda user, home: (user / "config.toml").write_text(""), WARN, "otel.enabled is false"),
        (lambda user, home: (user / "config.toml").write_text("otel = {enabled = true, port = 1}"), FAIL,
         "the receiver is"),
        (lambda user, home: os.unlink(os.path.join(home, paths.OTEL)), FAIL, "another token"),
        (lambda user, home: os.chmod(os.path.join(home, paths.OTEL), 0o644), FAIL, "others can read it"),
    ],
)  # fmt: skip
def test_doctor_finds_what_does_not_fit_together(user, home, change, level, text):
    run("--otel", "--write")
    change(user, home)
    assert any(one[0] == level and text in one[1] for one in findings(LISTENS, user))


@pytest.mark.parametrize(
    ("state", "level", "text"),
    [
        (None, WARN, "the listener does not listen"),
        (LISTENS | {"port": None, "problem": "127.0.0.1:4319 cannot be had"}, FAIL, "cannot be had"),
        (LISTENS | {"forward": {"url": "http://c", "problem": "http://c answers 503"}}, WARN, "answers 503"),
        (LISTENS | {"forward": {"url": "http://c", "problem": None, "sent": 3, "lost": 0}}, OK, "to http://c: 3 sent"),
    ],
)  # fmt: skip
def test_doctor_tells_what_the_receiver_says(user, state, level, text):
    run("--otel", "--write")
    assert any(one[0] == level and text in one[1] for one in findings(state, user))


def test_doctor_names_an_organisation_that_decides(user, monkeypatch):
    run("--otel", "--write")
    (user / "managed").mkdir()
    monkeypatch.setattr(checks_client, "MANAGED_FOLDERS", (str(user / "managed"),))
    (user / "managed" / "managed-settings.json").write_text(json.dumps({"env": THEIRS}))
    assert any(one[0] == WARN and "your organisation" in one[1] for one in findings(LISTENS, user))


def test_without_the_extra_nothing_is_written_and_the_remedy_is_said(user, home, monkeypatch):
    monkeypatch.setitem(sys.modules, "h11", None)
    assert "telemetry needs h11: " in run("--otel", "--write", code=1)
    assert not (user / ".claude" / "settings.json").exists()
