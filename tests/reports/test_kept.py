"""The answer of a report for programs is given once more while nothing changed that it was made from, and only then."""

import json
import os
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant, transcript

from aitop import paths
from aitop.ingest import looks
from aitop.reports import kept

OLD = time.time() - 3 * 86_400


def report(*words, **more):
    """One run of `aitop report`: (what it printed, whether it had to be made)."""
    environ = os.environ | {"PYTHONPATH": ROOT, "PYTEST_CURRENT_TEST": ""}  # which differs in a fixture
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "aitop", "report", *words],
                          env=environ | more, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=True)  # fmt: skip
    return done.stdout, b" click.core\n" in done.stderr


def wait_for_a_young_quarter():
    """No answer outlives its quarter hour: a test that needs one twice begins early enough in it."""
    while kept.SECONDS - time.time() % kept.SECONDS < 20:
        time.sleep(1)


@pytest.fixture
def claude(tmp_path, monkeypatch):
    """The client's folder."""
    folder = tmp_path / "claude"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture
def asked(home, claude):
    """A history of one response that a report was asked for once, and its transcript."""
    wait_for_a_young_quarter()
    path = transcript(claude, [assistant("m1", OLD, request_id="r1")])
    os.utime(path, (OLD, OLD))
    report("models", "--json")
    assert not report("models", "--json")[1], "the second call is given the first one's answer"
    return path


def requests(*words, **more):
    out, _ = report(*words, **more)
    return sum(row["requests"] for row in json.loads(out))


@pytest.mark.parametrize(
    "words", [("models", "--json"), ("daily", "--csv"), ("--json",), ("sessions", "--json", "--limit", "1")]
)
def test_an_answer_is_given_again_byte_for_byte_without_being_made(asked, words):
    first, _ = report(*words)
    again, made = report(*words)
    assert again == first
    assert first.strip()
    assert not made


def test_a_line_more_in_a_transcript_is_counted(asked):
    append(asked, assistant("m2", OLD + 5, request_id="r2"))
    assert requests("models", "--json") == 2


def test_a_line_that_takes_the_place_of_one_as_long_is_counted(asked):
    with open(asked, "rb") as file:
        data = file.read()
    with open(asked, "wb") as file:
        file.write(data.replace(b'"m1"', b'"m9"').replace(b'"r1"', b'"r9"'))
    assert requests("models", "--json") == 2


def test_a_new_folder_is_seen(asked, claude):
    transcript(claude, [assistant("m2", OLD, request_id="r2")], session="1" * 8, slug="-work-new")
    assert requests("models", "--json") == 2


def test_a_file_that_another_report_counted_is_in_the_answer(asked):
    append(asked, assistant("m2", OLD + 5, request_id="r2"))
    assert requests("projects", "--json") == 2
    assert requests("models", "--json") == 2


def test_other_words_are_another_question(asked):
    assert requests("models", "--json", "--since", "today") == 0
    assert requests("models", "--json") == 1


def test_a_folder_named_by_the_environment_is_another_question(asked, tmp_path):
    other = tmp_path / "other"
    transcript(other, [assistant("m2", OLD, request_id="r2")], session="1" * 8)
    assert requests("models", "--json", CLAUDE_CONFIG_DIR=str(other)) == 2


def test_a_changed_configuration_is_read(asked):
    os.makedirs(os.path.dirname(paths.config_file()))
    with open(paths.config_file(), "w") as file:
        file.write('week_start = "sunday"\n')
    assert report("models", "--json")[1]
    assert not report("models", "--json")[1]


def test_a_tag_given_by_hand_is_seen(asked):
    before = json.loads(report("tags", "--json")[0])
    session = json.loads(report("sessions", "--json")[0])[0]["session"]
    subprocess.run([sys.executable, "-m", "aitop", "tag", session, "urgent"],
                   env=os.environ | {"PYTHONPATH": ROOT}, check=True, capture_output=True)  # fmt: skip
    assert [row["tag"] for row in before] != ["urgent"]
    assert [row["tag"] for row in json.loads(report("tags", "--json")[0])] == ["urgent"]


def test_a_history_that_is_gone_is_made_anew(asked, home):
    for name in os.listdir(home):
        if name.startswith("history"):
            os.unlink(os.path.join(home, name))
    out, made = report("models", "--json")
    assert made
    assert json.loads(out)[0]["requests"] == 1


def test_a_file_that_was_cut_is_no_answer(asked, home):
    folder = os.path.join(home, paths.ANSWERS)
    for name in os.listdir(folder):
        os.truncate(os.path.join(folder, name), 20)
    assert report("models", "--json")[1]


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(lambda now: assistant("m2", now, request_id="r2", stop=None), id="no stop reason yet"),
        pytest.param(lambda now: json.dumps(assistant("m2", now, request_id="r2")).encode(), id="no newline yet"),
    ],
)  # fmt: skip
def test_what_time_alone_can_change_is_not_kept(asked, last):
    append(asked, last(time.time()))
    report("models", "--json")
    assert report("models", "--json")[1]


@pytest.mark.parametrize("words", [("blocks", "--json"), ("models",)])
def test_reports_that_tell_the_time_and_those_for_people_are_always_made(asked, words):
    report(*words)
    assert report(*words)[1]


def test_an_answer_ends_with_its_quarter_hour(home, claude):
    os.makedirs(home, exist_ok=True)
    words, now = ["report", "models", "--json"], 1_790_000_100.0
    kept.question(words, lambda: now).keep({}, b"said")
    ends = (now // kept.SECONDS + 1) * kept.SECONDS
    assert kept.question(words, lambda: ends - 0.1).answer() == b"said"
    assert kept.question(words, lambda: ends).answer() is None
    assert kept.question(words, lambda: ends - kept.SECONDS - 0.1).answer() is None, (
        "a clock that was set back"
    )


def test_a_change_between_the_look_and_the_answer_is_seen(home, claude):
    path = transcript(claude, [assistant("m1", OLD)])
    os.makedirs(home, exist_ok=True)
    words, now = ["report", "models", "--json"], 1_790_000_100.0
    question, seen = kept.question(words, lambda: now), {path: looks.of(path)}
    append(path, assistant("m2", OLD))
    question.keep(seen, b"said")
    assert kept.question(words, lambda: now).answer() is None


@pytest.mark.parametrize("change", ["name", "size", "time", "inode", "kind", "more", "less"])
def test_a_look_at_a_folder_tells_every_change_of_an_entry(tmp_path, change):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"1")
    before = looks.of(str(tmp_path))
    assert looks.of(str(tmp_path)) == before
    {
        "name": lambda: one.rename(tmp_path / "two"),
        "size": lambda: (one.write_bytes(b"22"), os.utime(one, ns=(0, other.stat().st_mtime_ns))),
        "time": lambda: os.utime(one, (5, 5)),
        "inode": lambda: (
            other.rename(tmp_path / "third"),
            one.rename(other),
            (tmp_path / "third").rename(one),
        ),
        "kind": lambda: (one.unlink(), one.mkdir()),
        "more": lambda: (tmp_path / "more").write_bytes(b""),
        "less": one.unlink,
    }[change]()
    assert looks.of(str(tmp_path)) != before


def test_a_look_at_a_file_or_at_nothing_is_a_look_too(tmp_path):
    path = tmp_path / "file"
    nothing = looks.of(str(path))
    path.write_bytes(b"1")
    file = looks.of(str(path))
    path.write_bytes(b"22")
    assert len({nothing, file, looks.of(str(path))}) == 3
