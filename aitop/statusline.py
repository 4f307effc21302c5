"""Claude Code's status line: send what the client says to the listener, print one line or run the user's own.

Hot: the client runs it after each message and cancels a slow one. `json` is loaded only to print our
own line. It never fails its host: broken input prints what it can, exit 0; a user's own command gets
the same stdin and keeps its own output and exit code, whether or not a listener runs.

Runs as `aitop statusline`, and from the script that `aitop install --statusline` writes.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal

    from aitop.model.json_types import JsonObject
else:
    import _signal  # `signal` alone would load `enum`: half as dear as Python's start

FORWARD_SECONDS = 0.05
STDIN_SECONDS = 1.0  # for our own line; the client closes stdin at once
PRESETS = ("cost", "burn", "limits", "full")
USAGE = """Usage: aitop statusline [--preset cost|burn|limits|full] < JSON
       aitop statusline -- COMMAND [ARGUMENT]...

Claude Code's status line. Reads the client's JSON on stdin, hands it to the listener and prints one
line; with a COMMAND, runs that instead of printing: same stdin, its own output and exit code. One
word alone is a shell command line, as in Claude Code's settings.
Colours unless NO_COLOR is set; cut to COLUMNS. `aitop install --statusline` sets it up, [statusline] in the
configuration says what it shows, and `aitop statusline --preview` shows it with made-up numbers.
"""


def main(argv: list[str]) -> int:
    home = None
    if argv[:1] == ["--home"] and len(argv) > 1:
        home, argv = argv[1], argv[2:]
    if argv[:1] in (["-h"], ["--help"]):
        from aitop.system import help_text

        os.write(
            1, help_text.fitted(USAGE, help_text.columns()).encode()
        )  # the end of this script does not flush
        return 0
    alone = argv[:1] == ["--no-listener"]  # Perl has sent it already, or the listener does not answer
    argv = argv[alone:]
    if "--" in argv and len(argv) > argv.index("--") + 1:
        return run(argv[argv.index("--") + 1 :], home)
    preset = argv[1] if argv[:1] == ["--preset"] and argv[1:2] and argv[1] in PRESETS else None
    if argv[2 if preset else 0 :] and os.isatty(
        2
    ):  # a host gives no terminal, and gets its line all the same
        os.write(2, _not_understood(argv[2 if preset else 0 :]).encode("utf-8", "replace"))
    try:
        payload = _stdin()
        text = line(payload, home, preset)
        if text:
            os.write(1, text.encode("utf-8", "replace") + b"\n")
        if not alone:
            forward(payload, home)
    except BaseException:  # a status line must never fail its host
        return 0
    return 0


def _not_understood(words: list[str]) -> str:
    """What a person is told who gives an option that there is not."""
    if words[0] == "--preset":
        return f"aitop statusline: --preset needs one of {', '.join(PRESETS)}\n"
    return (
        f"aitop statusline: no such option: {words[0]}. There is --preset {'|'.join(PRESETS)}; "
        "a text of your own is `format` under [statusline] in the configuration\n"
    )


def run(command: list[str], home: str | None) -> int:
    """Become the user's command; a process of our own feeds its stdin and then the listener."""
    out, into = os.pipe()
    if _detached():
        os.close(out)
        _pump(into, home)
    os.dup2(out, 0)
    for number in (out, into):
        os.close(number)
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)  # Python ignores it, and so would the command
    try:
        if len(command) == 1:
            os.execv("/bin/sh", ["sh", "-c", command[0]])  # noqa: S606
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"aitop statusline: {command[0]}: {error.strerror}\n")
    return 127


def _detached() -> bool:
    """Fork a process that the command will not see as its child. True in that process."""
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return False
    if os.fork():
        os._exit(0)
    return True


def _pump(into: int, home: str | None) -> None:
    """Stdin → the command as it comes; all of it → the listener. Holds no output open; never returns."""
    import select

    from aitop import hook

    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    parts: list[bytes] = []
    size = 0
    watch = select.poll()
    watch.register(0, select.POLLIN)
    watch.register(into, 0)  # says when the command has gone or closed its stdin
    gone = False
    try:
        while True:
            ready = dict(watch.poll(1000 if gone else None))
            if not gone and into in ready:
                gone = True
                watch.unregister(into)
            if 0 not in ready:
                if gone and not ready:
                    os._exit(0)  # the command has gone and no more input comes
                continue
            part = os.read(0, 1 << 16)
            if not part:
                break
            size += len(part)
            if size <= hook.MAX_PAYLOAD:
                parts.append(part)
            gone = gone or not _hand_on(into, part)
        os.close(into)
        if size <= hook.MAX_PAYLOAD:
            forward(b"".join(parts), home)
    except BaseException:
        os._exit(0)
    os._exit(0)


def _hand_on(into: int, part: bytes) -> bool:
    try:
        while part:
            part = part[os.write(into, part) :]
    except OSError:
        return False
    return True


def forward(payload: bytes, home: str | None) -> None:
    """Send it to the listener in bounded time; what fails is dropped."""
    from aitop import hook

    try:
        hook.start_timer(FORWARD_SECONDS)
        hook.send(hook.socket_path(home), hook.header("StatusLine") + payload)
    except (OSError, hook.Late):
        pass
    finally:
        hook.stop_timer()


def _stdin() -> bytes:
    from aitop import hook

    try:
        hook.start_timer(STDIN_SECONDS)
        return hook.read_all(0) or b""
    finally:
        hook.stop_timer()


def line(payload: bytes, home: str | None, preset: str | None) -> str:
    """Our own line, or "" when there is nothing to say."""
    import json
    import time

    from aitop import paths, state
    from aitop.segments import statusline_segment

    if home:
        os.environ["AITOP_HOME"] = home
    try:
        payload_fields = json.loads(payload)
    except (ValueError, RecursionError):
        payload_fields = None
    now = time.time()
    published = state.read() if os.path.exists(paths.in_home(paths.STATE)) else None
    fresh = published if published is not None and state.is_fresh(published, now) else None
    if not isinstance(payload_fields, dict):
        payload_fields = {}
    columns = os.environ.get("COLUMNS", "")
    look: JsonObject = {"preset": preset, "colour": not os.environ.get("NO_COLOR")}
    if columns.isdecimal():
        look["columns"] = int(columns)
    return "\n".join(statusline_segment.render(payload_fields, fresh, None, now, look))


if __name__ == "__main__":
    # Under -I -S neither the script's folder nor site-packages is on the path.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    os._exit(main(sys.argv[1:]))
