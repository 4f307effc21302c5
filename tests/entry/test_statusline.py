"""Claude Code's status line: our own line, the user's command passed through, and the feed."""

import contextlib
import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
import time

import pytest
from support import socket_peer

from aitop import statusline
from aitop.install import forwarder

SAID = {
    "session_id": "5f0c",
    "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
    "cost": {"total_cost_usd": 1.234},
    "context_window": {"context_window_size": 1_000_000, "used_percentage": 42.4},
}
FRESH = {
    "written_at": 1000.0,
    "display": {
        "billing": "api",
        "symbol": "$",
        "rate": 1.0,
        "levels": {"burn": [5, 20], "context": [40, 95]},
    },
    "today": {"cost_usd": 7.5, "estimated_requests": 1},
    "windows": {"1m": {"cost_usd_per_hour": 6.0}},
}
SECONDS = 20


@pytest.fixture
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("s")


PERL = pytest.param("perl", marks=pytest.mark.skipif(not shutil.which("perl"), reason="needs Perl"))
WAYS = [None, "python", PERL]  # the module itself, and the two scripts that are installed


def run(home, *arguments, payload=b"", script=None, **environment):
    start = [sys.executable, "-I", "-S", statusline.__file__, "--home", str(home)]
    if script:
        forwarder.write_script(str(home / "statusline"), forwarder.render_statusline(str(home), script))
        start = [str(home / "statusline")]
    return subprocess.run(
        [*start, *arguments], input=payload, capture_output=True, timeout=SECONDS, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **environment},
    )  # fmt: skip


def at_terminal(home, *arguments):
    """(exit code, stdout, what the terminal shows as stderr)"""
    master, slave = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-I", "-S", statusline.__file__, "--home", str(home), *arguments],
        input=json.dumps(SAID).encode(), stdout=subprocess.PIPE, stderr=slave, timeout=SECONDS, check=False,
    )  # fmt: skip
    os.close(slave)
    seen = b""
    with contextlib.suppress(OSError):  # EIO: the other side is closed
        while part := os.read(master, 4096):
            seen += part
    os.close(master)
    return done.returncode, done.stdout, seen.decode()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--format", "X"], "no such option: --format. There is --preset cost|burn|limits|full"),
        (["--presett", "cost"], "no such option: --presett"),
        (["--format", "X"], "`format` under [statusline] in the configuration"),
        (["--preset", "burning"], "--preset needs one of cost, burn, limits, full"),
        (["--preset"], "--preset needs one of"),
        (["--preset", "cost", "--colour"], "no such option: --colour"),
    ],
)
def test_a_person_is_told_of_an_option_that_there_is_not(home, words, hint):
    code, line, seen = at_terminal(home, *words)
    assert code == 0
    assert b"Opus 5.5" in line
    assert hint in seen


def test_a_host_is_told_nothing_of_an_option_and_gets_its_line(home):
    done = run(home, "--format", "X", payload=json.dumps(SAID).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Opus 5.5" in done.stdout
    assert at_terminal(home, "--preset", "cost")[2] == ""


@pytest.mark.parametrize("script", WAYS)
def test_it_prints_its_line_and_feeds_the_listener(home, script):
    payload = json.dumps(SAID).encode()
    with socket_peer.answering(home / "claudecode.sock") as peer:
        done = run(home, payload=payload, script=script, NO_COLOR="1", CLAUDE_PID="7")
        head, _, body = peer.wait()[0].partition(b"\n")
    assert done.stdout.decode() == "Opus 5.5 · ctx 42% · $1.23\n"
    assert (done.returncode, done.stderr) == (0, b"")
    asked = b"\tanswer=line%3Bno_color" if script == "perl" else b""
    assert head == b"aitop/1\tprovider=claude-code\tevent=StatusLine\tpid=7" + asked
    assert body == payload


needs_perl = pytest.mark.skipif(not shutil.which("perl"), reason="needs Perl")


@needs_perl
def test_what_the_listener_answers_is_the_line(home):
    answer = "Opus 5.5 · \x1b[33mctx 80%\x1b[0m\nsecond line\n".encode()
    with socket_peer.answering(home / "claudecode.sock", answer) as peer:
        done = run(home, "--preset", "burn", payload=b"{}", script="perl", COLUMNS="72", AITOP_TAG="a b")
        (data,) = peer.wait()
    assert (done.stdout, done.stderr, done.returncode) == (answer, b"", 0)
    assert data.startswith(b"aitop/1\tprovider=claude-code\tevent=StatusLine\ttag=a%20b\tanswer=line")
    assert data.endswith(b"\tanswer=line%3Bpreset%3Dburn%3Bcolumns%3D72\n{}")


@needs_perl
@pytest.mark.parametrize("other", [socket_peer.hanging, socket_peer.dripping, contextlib.nullcontext])
@pytest.mark.parametrize("size", [0, 200_000])
def test_without_an_answer_there_is_a_line_all_the_same(home, other, size):
    payload = json.dumps(SAID | {"filler": "x" * size}).encode()
    with other(home / "claudecode.sock"):
        done = run(home, payload=payload, script="perl", NO_COLOR="1")
    assert done.stdout.decode() == "Opus 5.5 · ctx 42% · $1.23\n"
    assert (done.returncode, done.stderr) == (0, b"")


@needs_perl
@pytest.mark.parametrize("first", [0, 20, 150_000])
def test_a_client_that_writes_slowly_gets_its_line(home, first):
    payload = json.dumps({"filler": "x" * 200_000} | SAID).encode()
    forwarder.write_script(str(home / "statusline"), forwarder.render_statusline(str(home), "perl"))
    with subprocess.Popen(
        [home / "statusline"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "NO_COLOR": "1"},
    ) as process:  # fmt: skip
        os.write(process.stdin.fileno(), payload[:first])
        time.sleep(0.3)  # past the deadline of the listener's answer
        process.stdin.write(payload[first:])
        process.stdin.close()
        assert process.stdout.read().decode() == "Opus 5.5 · ctx 42% · $1.23\n"


@needs_perl
def test_a_client_that_never_ends_its_input_leaves_no_process(home):
    forwarder.write_script(str(home / "statusline"), forwarder.render_statusline(str(home), "perl"))
    reader, writer = os.pipe()
    try:
        os.write(writer, b'{"filler": ')
        with open(os.devnull, "wb") as nowhere:
            subprocess.run([home / "statusline"], stdin=reader, stdout=nowhere, timeout=SECONDS, check=False)
        os.close(reader)
        reader = None
        with pytest.raises(BrokenPipeError):  # as soon as no process holds the other end
            for _ in range(500):
                os.write(writer, b" ")
                time.sleep(0.02)
    finally:
        os.close(writer)
        if reader is not None:
            os.close(reader)


@needs_perl
def test_a_listener_without_answers_does_not_keep_the_line_back(home):
    with socket_peer.answering(home / "claudecode.sock"):
        done = run(home, payload=json.dumps(SAID).encode(), script="perl", NO_COLOR="1")
    assert done.stdout.decode() == "Opus 5.5 · ctx 42% · $1.23\n"


@needs_perl
def test_what_a_users_command_reads_is_no_file_afterwards(home):
    payload = json.dumps(SAID).encode() + b"\0\n\n"
    with socket_peer.answering(home / "claudecode.sock") as peer:
        done = run(home, "--", "cat; exit 3", payload=payload, script="perl")
        (data,) = peer.wait()
    assert (done.stdout, done.returncode) == (payload, 3)
    assert data.partition(b"\n")[2] == payload
    assert [name for name in os.listdir(home) if name.startswith(".statusline")] == []


@needs_perl
@pytest.mark.parametrize("size", [0, 300_000])
@pytest.mark.parametrize("other", [socket_peer.hanging, socket_peer.dripping, contextlib.nullcontext])
def test_a_users_command_gets_all_of_its_input_whatever_the_listener_does(home, other, size):
    payload = json.dumps(SAID | {"filler": "x" * size}).encode()
    with other(home / "claudecode.sock"):
        done = run(home, "--", "cat; pwd; exit 3", payload=payload, script="perl")
    assert (done.stdout, done.returncode) == (payload + os.getcwd().encode() + b"\n", 3)


@needs_perl
def test_a_users_command_keeps_its_folder_where_the_home_has_a_long_name(tmp_path):
    home = tmp_path / ("h" * 120)
    home.mkdir()
    done = run(home, "--", "pwd", payload=b"{}", script="perl")
    assert done.stdout == os.getcwd().encode() + b"\n"


@needs_perl
@pytest.mark.parametrize("other", [socket_peer.hanging, contextlib.nullcontext])
def test_without_an_answer_the_line_prepared_for_the_session_is_printed(home, other):
    segment = home / "segments" / "status-5f0c-burn-plain"
    segment.parent.mkdir()
    segment.write_bytes("12 34 Opus · $4.20\nsecond line\n".encode())
    for expiry, shown in ((time.time() + 9, True), (time.time() - 1, False)):
        os.utime(segment, (expiry, expiry))
        with other(home / "claudecode.sock"):
            done = run(
                home, "--preset", "burn", payload=json.dumps(SAID).encode(), script="perl", NO_COLOR="1"
            )
        assert done.stdout
        assert (done.stdout.decode() == "Opus · $4.20\nsecond line\n") is shown
        (home / "claudecode.sock").unlink(missing_ok=True)


@needs_perl
def test_settings_of_perls_own_do_not_cost_the_line(home):
    with socket_peer.answering(home / "claudecode.sock", b"line\n"):
        done = run(home, payload=b"{}", script="perl", PERL5OPT="-Mstrict -w", PERL_UNICODE="SDA")
    assert (done.stdout, done.stderr) == (b"line\n", b"")


def test_an_old_state_is_not_shown(home):
    old, new = FRESH | {"written_at": time.time() - 60}, FRESH | {"written_at": time.time()}
    for state, expected in ((old, False), (new, True)):
        (home / "state.json").write_text(json.dumps(state))
        os.utime(home / "state.json", (state["written_at"],) * 2)
        assert (b"today" in run(home, payload=json.dumps(SAID).encode()).stdout) is expected


@pytest.mark.parametrize("payload", [b"", b"garbage", b"[]", b"\xff\x00", b"[" * 100_000, b'{"a":'])
def test_garbage_prints_nothing_and_is_no_error(home, payload):
    (home / "state.json").write_text("{broken")
    done = run(home, payload=payload)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("listener", ["none", "answering", "hanging", "dripping"])
@pytest.mark.parametrize("script", WAYS)
def test_the_users_command_keeps_its_input_output_and_exit_code(home, listener, script):
    payload = bytes(range(256)) * 2000
    command = f"cat; printf '%s' \"$0 $# ok\"; printf err >&2; exit 3; # {shlex.quote('it is')}"
    if listener == "none":
        done = run(home, "--", command, payload=payload, script=script)
    else:
        with getattr(socket_peer, listener)(home / "claudecode.sock") as peer:
            done = run(home, "--", command, payload=payload, script=script)
            if listener == "answering":
                assert peer.wait()[0].endswith(b"event=StatusLine\n" + payload)
    assert done.returncode == 3
    assert done.stdout == payload + b"sh 0 ok"
    assert done.stderr == b"err"


def test_several_words_are_a_command_and_its_arguments(home):
    done = run(home, "--", "printf", "%s|", "a b", "$HOME", "--")
    assert done.stdout == b"a b|$HOME|--|"


def test_a_command_that_ignores_its_input_is_not_waited_for(home):
    done = run(home, "--", "echo quick", payload=b"x" * 3_000_000)
    assert (done.returncode, done.stdout) == (0, b"quick\n")


def test_a_command_ends_by_a_broken_pipe_as_it_would_alone(home):
    done = run(home, "--", "yes | head -1; exit 0")
    assert (done.stdout, done.stderr) == (b"y\n", b"")


def test_a_missing_command_is_127(home):
    assert run(home, "--", "/no/such/command", "x").returncode == 127


def test_once_the_package_is_gone_the_users_command_runs_alone(home):
    text = forwarder.render_statusline(str(home)).replace(forwarder.package_folder(), str(home / "gone"))
    forwarder.write_script(str(home / "statusline"), text)

    def alone(*words):
        return subprocess.run(
            [home / "statusline", *words], input=b"in", capture_output=True, timeout=SECONDS, check=False
        )

    assert (alone("--", "cat; exit 4").stdout, alone("--", "cat; exit 4").returncode) == (b"in", 4)
    assert alone("--", "printf", "%s", "a b").stdout == b"a b"
    assert (alone().stdout, alone().returncode) == (b"", 0)


def test_help_is_for_people(capfd):
    assert statusline.main(["--help"]) == 0
    assert "aitop statusline -- COMMAND" in capfd.readouterr().out


def test_passing_through_loads_neither_json_nor_the_displays(home):
    code = (
        "import os, sys; sys.path.append(sys.argv[1]); from aitop import statusline;"
        "statusline.forward(b'{}', sys.argv[2]); print(*sorted(sys.modules))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, forwarder.package_folder(), str(home)]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"json", "re", "enum", "signal", "socket", "subprocess", "aitop.segments", "click"}
