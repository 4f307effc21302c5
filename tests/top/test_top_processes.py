"""Actions on real processes and the real socket: the right one is ended, another one never is."""

import os
import signal
import subprocess
import sys
import time

import pytest

from aitop.top import processes

MISSING = 4_194_303


@pytest.fixture
def client(tmp_path):
    """A process that calls itself claude."""
    script = tmp_path / "claude"
    script.write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def session(pid, provider="claude-code"):
    return {"id": "s1", "provider": provider, "pid": pid}


def test_a_session_without_a_known_process_cannot_be_ended():
    for pid in (None, 0, 1, -1, True, "7"):
        with pytest.raises(processes.ActError, match="process is not known"):
            processes.target(session(pid), None)


def test_a_process_that_has_ended_is_said_to_have():
    with pytest.raises(processes.ActError, match="has ended"):
        processes.target(session(MISSING), None)


def runs(process, *words):
    """Wait until a process just started runs its own program: for a moment between fork and exec it has no name."""
    deadline = time.monotonic() + 30
    while (found := processes.look(process.pid)) is None or found.command != words:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def test_a_process_that_is_no_client_is_left_alone():
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            runs(other, "sleep", "60")
            with pytest.raises(processes.ActError, match="is no claude-code any more: sleep 60"):
                processes.target(session(other.pid), None)
        finally:
            other.kill()


def test_a_clients_process_is_not_another_clients(client):
    with pytest.raises(processes.ActError, match="is no codex"):
        processes.target(session(client.pid, "codex"), None)
    with pytest.raises(processes.ActError, match="is no something"):
        processes.target(session(client.pid, "something"), None)


def test_another_users_process_is_left_alone(client, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(processes.ActError, match="not yours"):
        processes.target(session(client.pid), None)


def test_a_number_that_was_given_to_somebody_else_is_left_alone(client):
    seen = processes.look(client.pid)._replace(began="1")
    with pytest.raises(processes.ActError, match="not the one this table first saw"):
        processes.target(session(client.pid), seen)
    with pytest.raises(processes.ActError, match="has ended"):
        processes.send(seen, signal.SIGTERM)
    time.sleep(0.05)
    assert client.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_right_process_gets_the_signal(client, number):
    seen = processes.look(client.pid)
    processes.send(processes.target(session(client.pid), seen), number)
    assert client.wait(10) in (-number, 1, 130)


def test_a_process_is_known_by_owner_start_and_command(client):
    found = processes.look(client.pid)
    assert found is not None
    assert (found.pid, found.uid) == (client.pid, os.getuid())
    assert abs(float(found.began) - time.time()) < 120
    assert processes.is_client(found, "claude-code")
    assert processes.look(client.pid) == found
    assert processes.look(MISSING) is None


@pytest.mark.parametrize(
    ("words", "is_one"),
    [(("claude",), True), (("node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"), True),
     (("/home/ada/.local/bin/claude", "--resume"), True), (("vim", "claude.md"), False),
     (("node", "/srv/claudette/x.js"), False), (("bash",), False),
     (("python", "train.py", "claude"), False), ((), False)],
)  # fmt: skip
def test_how_a_client_names_itself(words, is_one):
    assert processes.is_client(processes.Process(2, 0, "0", words), "claude-code") is is_one


@pytest.mark.parametrize(
    ("provider", "words"),
    [("codex", ("/usr/lib/node_modules/@openai/codex/vendor/x86_64/codex/codex",)),
     ("gemini", ("node", "--no-warnings", "/usr/lib/node_modules/@google/gemini-cli/dist/index.js")),
     ("opencode", ("/usr/bin/opencode", "run")),
     ("copilot", ("node", "/usr/lib/node_modules/@github/copilot/index.js"))],
)  # fmt: skip
def test_the_other_clients_are_known_by_their_names_too(provider, words):
    assert processes.is_client(processes.Process(2, 0, "0", words), provider)
    assert not processes.is_client(processes.Process(2, 0, "0", words), "claude-code")


def test_a_tag_reaches_the_session_and_is_no_sign_of_life(listener, home):
    listener.start()
    listener.send({"session_id": "s1", "hook_event_name": "SessionStart", "cwd": "/x/shop"})
    before = listener.wait_for(lambda state: state["sessions"])["sessions"][0]
    processes.tag({"id": "s1", "provider": "claude-code"}, "sprint 14\t=漢")
    after = listener.wait_for(lambda state: state["sessions"][0]["tag"] is not None)["sessions"][0]
    assert after["tag"] == "sprint 14\t=漢"
    assert after["last_activity_at"] == before["last_activity_at"]
    assert after["status"] == before["status"]


def test_an_empty_tag_is_refused():
    with pytest.raises(processes.ActError, match="needs a text"):
        processes.tag({"id": "s1", "provider": "claude-code"}, "  ")


def test_a_tag_without_a_listener_says_what_to_do(home):
    with pytest.raises(processes.ActError, match="aitop start"):
        processes.tag({"id": "s1", "provider": "claude-code"}, "x")


@pytest.fixture
def holding(tmp_path):
    """Starts processes that call themselves codex and hold a file open."""
    script, started = tmp_path / "codex", []
    script.write_text(
        "import sys, time\nfile = open(sys.argv[1], 'a')\nprint('up', flush=True)\ntime.sleep(60)\n"
    )

    def start(path, program=script):
        process = subprocess.Popen([sys.executable, str(program), str(path)], stdout=subprocess.PIPE)
        started.append(process)
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_process_that_has_the_sessions_own_record_open_is_its_process(tmp_path, holding):
    mine, other = tmp_path / "rollout-1.jsonl", tmp_path / "rollout-2.jsonl"
    process, _ = holding(mine), holding(other)
    assert processes.holder("codex", "s1", str(mine)) == process.pid
    assert processes.target(session(process.pid, "codex"), None).pid == process.pid
    assert processes.holder("gemini", "s1", str(mine)) is None


def test_two_processes_with_one_record_open_prove_nothing(tmp_path, holding):
    mine = tmp_path / "rollout-1.jsonl"
    holding(mine)
    holding(mine)
    assert processes.holder("codex", "s1", str(mine)) is None


def test_a_database_that_is_open_names_no_session(tmp_path, holding):
    store = tmp_path / "state.db"
    holding(store)
    assert processes.holder("codex", "s1", str(store)) is None


def test_another_file_in_the_place_of_the_record_names_no_process(tmp_path, holding):
    """As in another container, where the same path is another file."""
    mine = tmp_path / "rollout-1.jsonl"
    holding(mine)
    mine.rename(tmp_path / "rollout-0.jsonl")
    mine.touch()
    assert processes.holder("codex", "s1", str(mine)) is None


def test_another_users_process_is_not_looked_at(tmp_path, holding, monkeypatch):
    mine = tmp_path / "rollout-1.jsonl"
    holding(mine)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert processes.holder("codex", "s1", str(mine)) is None


def test_a_file_in_a_folder_of_the_session_alone_names_its_process(tmp_path, holding):
    """Copilot CLI keeps a file open beside a session's events."""
    for name in ("98b893f2-68c1", "0e5c3afe-1111"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "events.jsonl").touch()
    process = holding(tmp_path / "98b893f2-68c1" / "inuse.7.hold")
    record = str(tmp_path / "98b893f2-68c1" / "events.jsonl")
    assert processes.holder("codex", "98b893f2-68c1", record) == process.pid
    other = str(tmp_path / "0e5c3afe-1111" / "events.jsonl")
    assert processes.holder("codex", "0e5c3afe-1111", other) is None
    assert processes.holder("codex", "another", record) is None
