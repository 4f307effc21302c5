"""What the code's shape promises: what the hot paths load, what they start, which way imports go."""

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest
from golden.home import environment, need
from support import socket_peer
from support.sources import PACKAGE, sources

from aitop.install import forwarder, scripts

PARENT = os.path.dirname(PACKAGE)
PARENT_OF_TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What Python has loaded anyway, or loads from its own binary in no time.
FREE = {"os", "os.path", "posixpath", "genericpath", "stat", "_stat", "_collections_abc", "abc", "_abc",
        "sys", "time", "errno", "select", "fcntl", "unicodedata", "_socket", "_signal",
        "__future__"}  # fmt: skip
DISPLAYS = {"aitop.segments" + name for name in (
    "", ".bash", ".details", ".fields", ".fish", ".humanize", ".money", ".placeholders",
    ".placeholders.activity",
    ".placeholders.gauges",
    ".placeholders.sessions", ".placeholders.spending", ".placeholders.view", ".plain", ".presets",
    ".swiftbar",
    ".template", ".text", ".text_table", ".tmux", ".waybar", ".zsh")}  # fmt: skip
HOOK = FREE | {"aitop", "aitop.paths", "aitop.hook"}
STATUSLINE = (
    HOOK | DISPLAYS | {"aitop.state", "aitop.segments.statusline_segment"}
)  # and json, for its own line
ONESHOT = (
    FREE
    | DISPLAYS
    | {
        "aitop",
        "aitop.__main__",
        "aitop.system",
        "aitop.system.atomic_file",
        "aitop.paths",
        "aitop.state",
        "aitop.segments.asked",
        "aitop.segments.oneshot",
        "aitop.segments.options",
    }
)


def loaded(*arguments, home, stdin=b"{}"):
    """Every module that a run of Python imported, by Python's own account."""
    found = subprocess.run([sys.executable, "-X", "importtime", *arguments], input=stdin, capture_output=True,
                           env=environment(home, PYTHONPATH=PARENT), cwd=home, timeout=30)  # fmt: skip
    assert found.returncode == 0, found.stderr
    rows = [line.rpartition("|")[2].strip() for line in found.stderr.decode().splitlines()]
    return set(rows) - {"imported package", ""}


def extra(*arguments, home, bare=("-c", "pass")):
    """What a run imported beyond bare Python in the same mode."""
    flags = [word for word in arguments if word in ("-I", "-S")]
    return loaded(*arguments, home=home) - loaded(*flags, *bare, home=home)


def json_brings(home):
    return extra("-I", "-S", "-c", "import json", home=home)


@pytest.fixture
def home(tmp_path):
    return str(tmp_path)


@pytest.fixture
def listener(home):
    """Somebody who reads whatever is sent to the socket."""
    here = os.getcwd()
    os.chdir(home)  # a socket's address may not be long
    server = socket.socket(socket.AF_UNIX)
    server.bind("claudecode.sock")
    os.chdir(here)
    server.listen(8)
    got = []

    def serve():
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                parts = []
                while part := peer.recv(65536):
                    parts.append(part)
                got.append(b"".join(parts))

    thread = threading.Thread(target=serve)
    thread.start()
    yield got
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_a_hook_loads_the_modules_on_its_list_and_no_other(home, listener):
    file = os.path.join(PACKAGE, "hook.py")
    assert extra("-I", "-S", file, "--home", home, "Stop", home=home) <= HOOK
    assert listener == [b"aitop/1\tprovider=claude-code\tevent=Stop\n{}"]


def test_a_hook_without_a_listener_loads_no_more(home):
    file = os.path.join(PACKAGE, "hook.py")
    assert extra("-I", "-S", file, "--home", home, "Stop", home=home) <= HOOK


def test_a_hook_by_way_of_the_command_loads_no_more(home):
    call = "import sys; sys.argv = ['aitop-py', 'hook', 'Stop']; from aitop.__main__ import main; main()"
    assert extra("-c", call, home=home, bare=("-c", "import aitop")) <= HOOK | {"aitop.__main__"}


def test_the_status_line_loads_the_modules_on_its_list_and_json(home):
    file = os.path.join(PACKAGE, "statusline.py")
    assert extra("-I", "-S", file, "--home", home, home=home) <= STATUSLINE | json_brings(home)


def test_the_status_line_around_a_users_command_loads_no_json(home):
    file = os.path.join(PACKAGE, "statusline.py")
    assert extra("-I", "-S", file, "--home", home, "--", "true", home=home) <= HOOK | {"aitop.statusline"}


@pytest.mark.parametrize(
    "words",
    [
        ["tmux", "--preset", "burn"],
        ["prompt", "--shell", "zsh", "--preset", "cost"],
        ["waybar", "--format", "{burn}"],
        ["swiftbar", "--preset", "limits"],
    ],
)
def test_a_one_shot_with_options_loads_the_modules_on_its_list_and_json(home, words):
    call = f"import sys; sys.argv = ['aitop-py', *{words}]; from aitop.__main__ import main; main()"
    stray = extra("-c", call, home=home, bare=("-c", "import aitop")) - ONESHOT - json_brings(home)
    assert stray == set(), (
        "see which file of aitop/segments imports one of them; what types alone need stands below `TYPE_CHECKING`"
    )


def test_a_one_shot_loads_no_display_but_its_own(home):
    call = "import sys; sys.argv = ['aitop-py', 'tmux', '--preset', 'burn']; from aitop.__main__ import main; main()"
    found = extra("-c", call, home=home, bare=("-c", "import aitop"))
    others = ("bash", "details", "fish", "plain", "swiftbar", "text_table", "waybar", "zsh")
    assert not found & {f"aitop.segments.{name}" for name in others}


def test_the_command_line_loads_what_only_help_and_errors_need_when_they_come(home):
    found = extra("-c", "import aitop.cli", home=home, bare=("-c", "import click"))
    assert not found & {"difflib", "shutil", "textwrap", "shlex", "bz2", "lzma", "aitop.system.installation"}


def test_providers_load_their_parsers_with_their_first_file(home):
    found = extra("-c", "from aitop.providers import load; load.load()", home=home)
    parsers = (
        "codex.rollout",
        "gemini.chat",
        "opencode.database",
        "copilot.events",
        "qwen.chat",
        "copilot_chat.traces",
    )
    assert not found & {f"aitop.providers.{name}" for name in parsers}


# A listener that watches nothing and has nothing switched on: what it loads, everyone's listener carries all day.
MODULES_AT_REST_MAX = 200
# What comes with the first file, payload, alert or damage, or with a feature that is switched on.
LOADED_WHEN_NEEDED = (
    "aitop.fleet.", "aitop.history.recovery.merge", "aitop.history.recovery.salvage", "aitop.otlp.protobuf",
    "aitop.providers.conformance", "aitop.providers.genai", "aitop.publish.notify", "aitop.publish.tmux_",
    "aitop.receiver.http", "aitop.receiver.telemetry", "aitop.receiver.token", "aitop.system.installation",
    "hashlib", "pickle", "shlex", "subprocess",
)  # fmt: skip
PARSERS = (
    "transcript",
    "entry",
    "records",
    "rollout",
    "metrics",
    "session",
    "task",
    "chat",
    "database",
    "events",
)


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory):
    """Every module that a listener has loaded when its first state is out."""
    home = str(tmp_path_factory.mktemp("rest"))
    report, state = os.path.join(home, "report"), os.path.join(home, "state.json")
    with open(report, "wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-P", "-m", "aitop", "listen", "--quiet"], cwd=home, stderr=file,
            env=environment(home, PYTHONPATH=PARENT, AITOP_PROVIDERS="builtin", XDG_RUNTIME_DIR=home + "/none"),
        )  # fmt: skip
        while process.poll() is None and not os.path.exists(state):
            time.sleep(0.02)
        process.terminate()
        process.wait(30)
    with open(report) as file:
        return {line.rpartition("|")[2].strip() for line in file if line.startswith("import time:")}


@pytest.mark.slow
def test_a_listener_at_rest_loads_nothing_of_what_is_off_or_has_not_come(at_rest):
    assert "aitop.listener.loop" in at_rest
    assert [
        name
        for name in sorted(at_rest)
        if name.startswith(LOADED_WHEN_NEEDED) and name != "aitop.fleet.service"
    ] == []
    assert [n for n in sorted(at_rest) if n.startswith("aitop.providers.") and n.endswith(PARSERS)] == []


@pytest.mark.slow
def test_a_listener_at_rest_loads_no_more_modules_than_it_did(at_rest):
    ours = [name for name in at_rest if name.startswith("aitop.")]
    assert 100 < len(ours) <= MODULES_AT_REST_MAX, (
        "load it when it is first used, or raise the bound with a reason"
    )


def started(arguments, home, stdin=b"{}", **more):
    """(processes started beyond the first, programs executed) by a command, counted by the kernel."""
    need("strace")
    trace = os.path.join(home, "trace")
    call = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=fork,vfork,clone,clone3,execve",
        "-e",
        "signal=none",
        "-o",
        trace,
    ]
    found = subprocess.run(
        [*call, *arguments], input=stdin, env=environment(home, **more), cwd=home, timeout=30
    )
    assert found.returncode == 0
    with open(trace) as file:
        lines = [line for line in file if "(" in line and "= -1" not in line and "CLONE_THREAD" not in line]
    return sum("execve(" not in line for line in lines), sum("execve(" in line for line in lines)


def kinds():
    return [scripts.PYTHON, *([scripts.PERL] if shutil.which("perl") else [])]


@pytest.mark.parametrize("kind", kinds())
def test_a_hook_as_installed_is_one_process(home, listener, kind):
    forwarder.write_script(os.path.join(home, "hook"), forwarder.render(kind, home))
    for _ in range(8):  # its time is short by design, and strace on a busy machine takes longer
        processes, programs = started([os.path.join(home, "hook"), "Stop"], home)
        assert (processes, programs) == (0, 2)  # sh, which becomes perl or python
        time.sleep(0.2)
        if listener:
            break
    assert len(listener) == 1


@pytest.mark.parametrize("kind", kinds())
def test_the_status_line_as_installed_is_one_process(home, kind):
    forwarder.write_script(os.path.join(home, "statusline"), forwarder.render_statusline(home, kind))
    with socket_peer.answering(os.path.join(home, "claudecode.sock"), b"line\n"):
        programs = 1 if kind == scripts.PERL else 2  # perl alone, or sh that becomes python
        assert started([os.path.join(home, "statusline")], home) == (0, programs)


@pytest.mark.skipif(not shutil.which("perl"), reason="needs Perl")
def test_the_status_line_without_an_answer_becomes_python_in_the_same_process(home):
    forwarder.write_script(os.path.join(home, "statusline"), forwarder.render_statusline(home, "perl"))
    assert started([os.path.join(home, "statusline")], home) == (0, 2)


# The edges: who may ask what time it is.
CLOCKS = ("advice/cli.py", "agents/mcp_server.py", "agents/runner.py",
          "cli.py", "demo/", "energy/cli.py", "fleet/cli.py",
          "fleet/asker.py", "fleet/exporter.py", "fleet/pull_cli.py",
          "fleet/sender.py", "fleet/service.py", "gateway/", "guard.py", "install/", "jump.py",
          "listener/",
          "litellm.py", "log.py", "pricing/cli.py", "pricing/refresh.py", "quality/cli.py",
          "publish/announcer.py", "publish/cli.py",
          "receiver/", "reports/", "segments/follow.py", "segments/oneshot.py",
          "statusline.py", "top/", "web/", "worth/plan_cli.py", "worth/trailer_cli.py", "worth/within.py")  # fmt: skip


TELLS_TIME = {"now", "today", "utcnow", "time", "monotonic"}


def test_only_the_edges_ask_what_time_it_is():
    asked = set()
    for source in sources():
        for node in source.nodes:
            if isinstance(node, ast.Call) and getattr(node.func, "attr", None) in TELLS_TIME:
                call = ast.unparse(node.func)
                if call.endswith((".now", ".today", ".utcnow")) or call in ("time.time", "time.monotonic"):
                    asked.add(source.name)
    assert [name for name in sorted(asked) if not name.startswith(CLOCKS)] == []


def test_no_private_function_is_left_uncalled():
    """An alert that its family's `evaluate` does not call would be a rule that never speaks."""
    uncalled = []
    for source in sources():
        own = {
            node.name
            for node in source.tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("_")
            and not node.name.startswith("__")
            and not node.decorator_list
        }
        used = {node.id for node in source.nodes if isinstance(node, ast.Name)}
        used |= {node.attr for node in source.nodes if isinstance(node, ast.Attribute)}
        uncalled += [f"{source.name}: {function}" for function in sorted(own - used)]
    assert uncalled == []


def test_the_package_itself_imports_nothing():
    with open(os.path.join(PACKAGE, "__init__.py")) as file:
        tree = ast.parse(file.read())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_every_module_says_why_it_exists():
    assert [one.name for one in sources() if one.text.strip() and not ast.get_docstring(one.tree)] == []


ROOMS = sorted(
    name for name in os.listdir(PACKAGE) if os.path.isfile(os.path.join(PACKAGE, name, "__init__.py"))
)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_must_not_do_and_which_file_to_read_first(room):
    with open(os.path.join(PACKAGE, room, "__init__.py"), encoding="utf-8") as file:
        words = " ".join((ast.get_docstring(ast.parse(file.read())) or "").split())
    of = f"the docstring of aitop/{room}/__init__.py"
    assert re.search(r"\b(must not|must never|never)\b", words, re.IGNORECASE), f"{of} forbids nothing"
    named = re.findall(r"`([\w/]+\.py)`", words)
    assert named, f"{of} names no file to read first"
    places = [os.path.join(PACKAGE, room), PACKAGE]
    assert [
        name for name in named if not any(os.path.exists(os.path.join(place, name)) for place in places)
    ] == [], f"{of} names a file that does not exist"


# -- sizes ---------------------------------------------------------------------------------------------------------

MODULE_LINES_MAX, FUNCTION_LINES_MAX, ANY_MAX = 350, 40, 150
LONG_MODULES = {
    "publish/state_types.py": "the published state's one table: every key with its type and meaning",
}
LONG_FUNCTIONS = {
    "publish/state_json.py:build": "one key for each published fact",
    "publish/state_rows.py:session_row": "one key for each published fact of a session",
}


def functions():
    """(file:name, lines without the docstring) of every function."""
    for source in sources():
        for node in source.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                has_docstring = ast.get_docstring(node, clean=False) is not None
                text = first.end_lineno - first.lineno + 1 if has_docstring else 0
                yield f"{source.name}:{node.name}", node.end_lineno - node.lineno + 1 - text


def test_no_module_is_longer_than_a_reader_can_hold_in_mind():
    too_long = {source.name for source in sources() if source.text.count("\n") > MODULE_LINES_MAX}
    assert sorted(too_long - set(LONG_MODULES)) == [], "split it, or name it above with its reason"
    assert sorted(set(LONG_MODULES) - too_long) == [], "it is short enough now: take it off the list"


def test_no_function_is_longer_than_a_screen():
    too_long = {name for name, length in functions() if length > FUNCTION_LINES_MAX}
    assert sorted(too_long - set(LONG_FUNCTIONS)) == [], "split it, or name it above with its reason"
    assert sorted(set(LONG_FUNCTIONS) - too_long) == [], "it is short enough now: take it off the list"


def test_any_is_left_to_the_edge_where_json_comes_in():
    names = [node.id for source in sources() for node in source.nodes if isinstance(node, ast.Name)]
    assert names.count("Any") < ANY_MAX


# -- words ---------------------------------------------------------------------------------------------------------

# A local of such a name says that something was found or known, and not what it holds.
BARE_NAMES = {"found", "known", "told", "said"}


def bare_locals(function):
    """The parameters and local names of a function that say nothing of what they hold."""
    inside = list(ast.walk(function))
    names = {node.arg for node in inside if isinstance(node, ast.arg)}
    names |= {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names & BARE_NAMES


def test_every_local_says_what_it_holds():
    bare = {
        f"{source.name}:{node.name}: {name}"
        for source in sources()
        for node in source.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for name in bare_locals(node)
    }
    assert not bare, f"name what it holds: rows, sessions, by_model; {sorted(bare)}"


# -- tests ---------------------------------------------------------------------------------------------------------


def test_no_test_module_imports_another():
    tests, found = os.path.join(PARENT_OF_TESTS, "tests"), []
    for folder, _, names in os.walk(tests):
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    lines = re.findall(r"^ *(?:from|import) .*", file.read(), re.MULTILINE)
                found += [
                    (name, line) for line in lines if re.search(r"^ *(from|import) (\w+\.)*test_", line)
                ]
    assert found == [], "helpers go into tests/support"


def test_properties_take_their_number_of_examples_from_the_profile():
    own, found = ("conftest.py", "examples.py", "test_fuzz.py", "test_structure.py"), []
    for folder, _, names in os.walk(os.path.join(PARENT_OF_TESTS, "tests")):
        for name in names:
            if name.endswith(".py") and name not in own:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found += [name] if "max_examples=" in file.read() else []
    assert found == [], "write @examples(200): a quick run then tries a fifth"
