"""`aitop advise --apply`: offered, asked, written, measured after days in fast motion, withdrawn, taken out."""

import json
import os
import subprocess
import sys
import time
import uuid

import pytest
from conftest import ROOT
from support.lines import assistant, transcript, usage, user

from aitop import paths
from aitop.install import advised

pytestmark = pytest.mark.slow  # the command as a process, some times in each test

DAY = 86_400.0
NOW = time.time()
DEAR, MIDDLE, CHEAP = "claude-opus-4-8", "claude-sonnet-4-6", "claude-haiku-4-5"
VARIABLE = "CLAUDE_CODE_SUBAGENT_MODEL"


@pytest.fixture
def claude(tmp_path):
    """The client's folder; its settings are laid out as no writer would."""
    folder = tmp_path / "user" / ".claude"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text('{ "theme":"dark",\n     "n": 1.0e2 }')
    return str(folder)


@pytest.fixture
def settings(claude):
    return os.path.join(claude, "settings.json")


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def advise(*words, code=0, **more):
    environ = os.environ | {"PYTHONPATH": ROOT} | more
    done = subprocess.run([sys.executable, "-m", "aitop", "advise", *words], env=environ, capture_output=True,
                          text=True, timeout=60, stdin=subprocess.DEVNULL)  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def day(claude, age, model, runs=3, output=40_000):
    """One session of `age` days ago with some runs of sub-agents."""
    at, session = NOW - age * DAY, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{age}"))
    main = assistant(f"m{age}", at + 1, request_id=f"r{age}", session=session, model=CHEAP)
    transcript(claude, [user(at=at, session=session), main], session=session)
    for number in range(runs):
        name = f"{age}-{number}"
        said = assistant(f"a{name}", at + 5, request_id=f"q{name}", session=session, model=model, isSidechain=True,
                         agentId=name, usage=usage(output + 100 * number, 10, 0, 5_000))  # fmt: skip
        transcript(claude, [said], session=session, agent=name)


def dear_agents(claude, first=20, last=10):
    for age in range(last, first):
        day(claude, age, DEAR)


def applied_before(settings, days):
    change = advised.plan("subagent-model", settings, ("env", VARIABLE), "sonnet")
    advised.write(change, NOW - days * DAY)


def test_it_shows_the_change_and_writes_nothing_until_it_may(claude, settings):
    dear_agents(claude)
    before = text(settings)
    shown = advise("--apply", "--dry-run")
    assert f'+     "env": {{"{VARIABLE}": "sonnet"}}' in shown or f'"{VARIABLE}": "sonnet"' in shown
    assert "Nothing was written" in shown
    assert "--yes" in advise("--apply", code=2)  # no terminal to ask at
    assert text(settings) == before
    assert not os.path.exists(paths.in_home(advised.RECORD))


def test_applied_and_undone_the_file_is_what_it_was_byte_for_byte(claude, settings):
    dear_agents(claude)
    before = text(settings)
    shown = advise("--apply", "--yes")
    assert json.loads(text(settings)) == {"theme": "dark", "n": 100.0, "env": {VARIABLE: "sonnet"}}
    assert "aitop advise --undo subagent-model" in shown
    assert "measured after a week" in advise()
    assert "Nothing to apply" in advise("--apply", "--yes")
    since = time.strftime("%Y-%m-%d", time.localtime(advised.load().applied[0].at))
    again = advise("--apply", "--yes", "--rule", "subagent-model")
    assert again == f"subagent-model is applied already, since {since}\n"
    assert "byte for byte" in advise("--undo", "subagent-model")
    assert text(settings) == before
    assert "not applied" in advise("--undo", "subagent-model", code=2)
    assert "Nothing is applied" in advise("--undo")


def test_two_settings_taken_out_of_a_file_are_one_line_of_its_end_state(settings):
    applied_before(settings, 2)
    advised.write(advised.plan("older-model", settings, ("model",), "claude-opus-5-5"), NOW - DAY)
    assert advise("--undo") == f"{settings}: restored byte for byte\n"


def test_days_without_a_request_are_said_to_be_empty(claude):
    day(claude, 100, DEAR)
    assert advise() == "No request in these days; --since DAY looks further back.\n"
    assert "No request" not in advise("--since", "200d")


def test_what_a_setting_follows_says_its_command(claude):
    dear_agents(claude)
    assert "Apply: aitop advise --apply --rule subagent-model" in advise()
    found = {one["rule"]: one for one in json.loads(advise("--json"))}["subagent-model"]
    assert found["apply"] == "aitop advise --apply --rule subagent-model"


def test_a_week_later_it_says_what_it_saved(claude, settings):
    dear_agents(claude)
    applied_before(settings, 9)
    for age in range(1, 9):
        day(claude, age, MIDDLE)
    (found,) = json.loads(advise("--applied", "--json"))
    # 40,000 to 40,200 output tokens and 5,000 written: 25 and 6.25 USD a million at the dear model, 15 and 3.75 then
    units = 24
    dear = (40_100 * 25 + 5_000 * 6.25 + 10 * 5) / 1e6
    cheap = (40_100 * 15 + 5_000 * 3.75 + 10 * 3) / 1e6
    assert found["verdict"] == "saved"
    assert found["measured"]["expected_usd"] == pytest.approx(units * dear)
    assert found["measured"]["cost_usd"] == pytest.approx(units * cheap)
    assert found["measured"]["saving_usd"] == pytest.approx(units * (dear - cheap))
    assert (
        found["measured"]["saving_low_usd"]
        <= found["measured"]["saving_usd"]
        <= found["measured"]["saving_high_usd"]
    )
    shown = advise()
    assert shown.startswith("subagent-model: applied ")
    assert "(40 %; 95 % interval: $" in shown
    assert shown.count("subagent-model") == 2  # its own lines; the finding of the days before is not repeated


def test_days_without_sub_agents_are_too_few_to_say(claude, settings):
    dear_agents(claude)
    applied_before(settings, 9)
    day(claude, 2, MIDDLE)
    assert "Too few days to say" in advise("--applied")


def test_what_saved_nothing_is_withdrawn_undone_and_not_offered_again(claude, settings):
    before = text(settings)
    dear_agents(claude)
    applied_before(settings, 9)
    for age in range(1, 9):
        day(claude, age, MIDDLE, output=90_000)  # the smaller model needed more than twice the tokens
    shown = advise()
    assert "Cost more by $" in shown
    assert "saved nothing and is withdrawn" in shown
    assert "Undo:  aitop advise --undo subagent-model" in shown
    advise("--undo", "subagent-model")
    assert text(settings) == before
    assert "subagent-model" not in advise()
    assert "Nothing to apply" in advise("--apply", "--yes")
    assert VARIABLE in advise("--apply", "--dry-run", "--rule", "subagent-model")  # by name it still is


def test_sub_agents_that_would_become_dearer_are_counted(claude, settings):
    day(claude, 5, DEAR, runs=1, output=60_000)
    for age in range(6, 16):
        day(claude, age, CHEAP, runs=5)
    shown = advise("--apply", "--yes", "--rule", "subagent-model")
    assert "altogether it would save nothing" in shown
    assert "env" not in json.loads(text(settings))


def test_the_setting_that_pins_an_older_model_is_moved(claude, settings):
    for age in range(1, 6):
        at, session = NOW - age * DAY, str(uuid.uuid5(uuid.NAMESPACE_URL, f"old{age}"))
        said = assistant(f"o{age}", at, request_id=f"o{age}", session=session, model="claude-opus-4-1",
                         usage=usage(50_000, 10))  # fmt: skip
        transcript(claude, [user(at=at, session=session), said], session=session)
    assert "Nothing to apply" in advise("--apply", "--yes", "--rule", "older-model")  # no setting pins it
    with open(settings, "w", encoding="utf-8") as file:
        file.write('{"model": "claude-opus-4-1[1m]"}')
    advise("--apply", "--yes", "--rule", "older-model")
    moved = json.loads(text(settings))["model"]
    assert moved.startswith("claude-opus-")
    assert moved.endswith("[1m]")
    assert moved != "claude-opus-4-1[1m]"
    advise("--undo")
    assert text(settings) == '{"model": "claude-opus-4-1[1m]"}'


def old_model(claude, name, model, output):
    at, session = NOW - 3 * DAY, str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    said = assistant(name, at, request_id=name, session=session, model=model, usage=usage(output, 10))
    transcript(claude, [user(at=at, session=session), said], session=session)


@pytest.mark.parametrize(
    ("pin", "used"),
    [("claude-opus-4-1-20250805", "claude-opus-4-1"), ("claude-opus-4-1", "claude-opus-4-1-20250805"),
     ("claude-opus-4-1-20250805[1m]", "claude-opus-4-1-20250805")],
)  # fmt: skip
def test_a_pin_and_the_responses_may_name_a_model_with_or_without_its_date(claude, settings, pin, used):
    old_model(claude, "pinned", used, 50_000)
    with open(settings, "w", encoding="utf-8") as file:
        json.dump({"model": pin}, file)
    advise("--apply", "--yes", "--rule", "older-model")
    moved = json.loads(text(settings))["model"]
    assert moved.startswith("claude-opus-")
    assert "4-1" not in moved
    assert moved.endswith("[1m]") == pin.endswith("[1m]")


@pytest.mark.parametrize("pin", ["claude-opus-4-1@20250805", "us.anthropic.claude-opus-4-1-20250805-v1:0"])
def test_a_pin_as_a_cloud_spells_it_is_left_alone(claude, settings, pin):
    old_model(claude, "pinned", "claude-opus-4-1-20250805", 50_000)
    with open(settings, "w", encoding="utf-8") as file:
        json.dump({"model": pin}, file)
    assert "Nothing to apply" in advise("--apply", "--yes", "--rule", "older-model")


def test_only_the_model_that_a_setting_pins_counts_for_its_saving(claude, settings):
    old_model(claude, "pinned", "claude-opus-4-1", 50_000)
    old_model(claude, "other", "claude-opus-4-0", 100_000)
    both = json.loads(advise("--json", "--rule", "older-model"))[0]
    (pinned,) = [one for one in both["examples"] if one["about"].startswith("claude-opus-4-1")]
    assert both["saving_usd"] > 2 * pinned["saving_usd"]
    with open(settings, "w", encoding="utf-8") as file:
        file.write('{"model": "claude-opus-4-1"}')
    shown = advise("--apply", "--dry-run", "--rule", "older-model")
    assert f"older-model: ${pinned['saving_usd']:.2f}" in shown
    assert "1 request in 1 session" in shown
    assert "claude-opus-4-0" not in shown
    assert (
        f"`aitop advise` says ${both['saving_usd']:.2f}: the setting moves only the model that it pins."
        in shown
    )


def test_a_saving_that_differs_from_the_listed_one_says_why(claude):
    dear_agents(claude)
    same = advise("--apply", "--dry-run", "--rule", "subagent-model")
    assert "`aitop advise` says" not in same
    day(claude, 5, CHEAP, runs=5, output=20_000)
    (listed,) = json.loads(advise("--json", "--rule", "subagent-model"))
    shown = advise("--apply", "--dry-run", "--rule", "subagent-model")
    assert f"subagent-model: up to ${listed['saving_usd']:.2f}" not in shown
    assert f"`aitop advise` says ${listed['saving_usd']:.2f}: the setting also moves the sub-agents" in shown


def test_a_file_with_a_comment_is_refused_and_named(claude, settings):
    dear_agents(claude)
    with open(settings, "w", encoding="utf-8") as file:
        file.write('{\n  // mine\n  "theme": "dark"\n}')
    shown = advise("--apply", "--yes", code=1)
    assert f"{settings}: cannot be parsed: line 2" in shown
    assert "Nothing to apply" not in shown
    assert "// mine" in text(settings)


@pytest.mark.parametrize(
    ("broken", "line"), [("{", 1), ("\n[1]", 2), ('{\n "model": "claude-opus-4-1",}', 2), ('{"n": NaN}', 1)]
)
@pytest.mark.parametrize("rule", ["older-model", "subagent-model"])
def test_a_broken_file_is_named_with_its_line_and_the_other_folder_goes_on(
    tmp_path, claude, settings, broken, line, rule
):
    dear_agents(claude)
    old_model(claude, "pinned", "claude-opus-4-1", 50_000)
    with open(settings, "w", encoding="utf-8") as file:
        file.write(broken)
    shown = advise("--apply", "--yes", "--rule", rule, code=1)
    assert f"{settings}: " in shown
    assert f"line {line}" in shown
    assert "Nothing to apply" not in shown
    assert "Apply: " not in advise("--rule", rule)  # it would change nothing
    other = tmp_path / "other"
    other.mkdir()
    (other / "settings.json").write_text('{"model": "claude-opus-4-1"}')
    both = {"CLAUDE_CONFIG_DIR": f"{claude},{other}"}
    assert f"Apply: aitop advise --apply --rule {rule}" in advise("--rule", rule, **both)
    shown = advise("--apply", "--yes", "--rule", rule, code=1, **both)
    assert shown.count(f"{settings}: ") == 1
    assert json.loads(text(other / "settings.json")) != {"model": "claude-opus-4-1"}
    assert text(settings) == broken


def test_a_broken_file_is_named_once_for_all_findings(claude, settings):
    dear_agents(claude)
    old_model(claude, "pinned", "claude-opus-4-1", 50_000)
    with open(settings, "w", encoding="utf-8") as file:
        file.write("{")
    assert advise("--apply", "--yes", code=1).count("cannot be parsed") == 1
    assert advise().count("cannot be parsed") == 1


def test_a_command_is_said_only_where_it_would_change_something(claude, settings):
    old_model(claude, "pinned", "claude-opus-4-1", 50_000)

    def said():
        (row,) = json.loads(advise("--json", "--rule", "older-model"))
        shown = advise("--rule", "older-model")
        assert ("Apply: " in shown) == (row["apply"] is not None)
        return row["apply"]

    assert said() is None  # no setting pins a model
    with open(settings, "w", encoding="utf-8") as file:
        file.write('{"model": "claude-opus-4-1"}')
    assert said() == "aitop advise --apply --rule older-model"
    assert "claude-opus-4-1" in advise("--apply", "--yes", "--rule", "older-model")
    assert said() is None  # it is applied


def test_a_damaged_record_is_named(claude):
    dear_agents(claude)
    advise()
    with open(paths.in_home(advised.RECORD), "w", encoding="utf-8") as file:
        file.write("[]")
    for words in (["--applied"], ["--undo"], ["--apply", "--yes"]):
        assert advised.RECORD in advise(*words, code=1)
    shown = advise("--rule", "subagent-model")  # the findings do without it
    assert advised.RECORD in shown
    assert "Apply: " in shown


@pytest.mark.parametrize(
    "words",
    [
        ["--apply", "--undo"],
        ["--yes"],
        ["--dry-run"],
        ["--apply", "--yes", "--dry-run"],
        ["--apply", "--json"],
    ],
)
def test_options_that_do_not_go_together_are_refused(words):
    advise(*words, code=2)


def test_uninstall_takes_it_out(claude, settings):
    dear_agents(claude)
    before = text(settings)
    advise("--apply", "--yes")
    environ = os.environ | {"PYTHONPATH": ROOT}
    done = subprocess.run([sys.executable, "-m", "aitop", "uninstall"], env=environ, capture_output=True, text=True,
                          timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert text(settings) == before
