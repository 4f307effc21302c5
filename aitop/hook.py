"""stdin → the listener's socket: forwards one hook event and never disturbs its host.

Hot, and started by the client at every tool call, so it imports `os`, `sys`, `_socket` and
`_signal` only. It prints nothing, exits 0 and ends within `DEADLINE`, whatever the listener, the
socket or stdin do: one interval timer ends every wait. It forwards the payload byte for byte, with
a header line made of five named variables; no other part of the environment leaves the process.

Runs as `aitop hook`, and as a script (`python -I -S hook.py --home DIR EVENT`) from the forwarder
that `aitop install` writes. `--report` and `--launch` are that forwarder's.
"""

import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal  # `signal` alone would load `enum`: half as dear as Python's start

DEADLINE = 0.12  # seconds for reading, connecting and sending; the rest of 200 ms is for Python's start
MAX_PAYLOAD = 16 * 1024 * 1024
NOT_SENT = 3  # with --report: no listener answers; only the forwarder script asks
PROVIDER = "claude-code"
# header key → (environment variable, most bytes). The sum, percent-encoded, stays under 4 KB.
FROM_ENVIRONMENT = (
    (b"tag", b"AITOP_TAG", 256),
    (b"pid", b"CLAUDE_PID", 20),
    (b"pane", b"TMUX_PANE", 64),
    (b"config_dir", b"CLAUDE_CONFIG_DIR", 900),
)
PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
# What goes on to `aitop start`: a client's variables say where its records are, networks' how prices are fetched.
KEPT = (
    "HOME", "PATH", "LANG", "TZ",
    "CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "COPILOT_HOME", "OPENCODE_DB",
    "KILO_DB", "QWEN_HOME", "QWEN_RUNTIME_DIR",
    "AMP_DATA_DIR", "CLINE_DATA_DIR", "CLINE_DIR", "CLINE_SESSION_DATA_DIR", "CRUSH_GLOBAL_DATA", "FACTORY_DIR",
    "GOOSE_PATH_ROOT", "GROK_HOME", "HERMES_HOME", "KIMI_CODE_HOME", "KIMI_SHARE_DIR", "KIRO_HOME",
    "OMP_CODING_AGENT_DIR", "OPENCLAW_STATE_DIR", "PI_CODING_AGENT_DIR", "PI_CODING_AGENT_SESSION_DIR", "VIBE_HOME",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "DBUS_SESSION_BUS_ADDRESS",
)  # fmt: skip
KEPT_PREFIXES = ("XDG_", "AITOP_")
USAGE = """Usage: aitop hook [EVENT] < PAYLOAD

Forward one Claude Code hook event (stdin) to the listener. Prints nothing, exits 0, and takes
at most 200 ms even when the listener hangs. `aitop install` sets up the hooks that call this.
"""


class Late(Exception):  # noqa: N818
    """The time is up."""


def main(argv: list[str]) -> int:
    if argv[:1] in (["-h"], ["--help"]):
        from aitop.system import help_text

        os.write(
            1, help_text.fitted(USAGE, help_text.columns()).encode()
        )  # the end of this script does not flush
        return 0
    if argv[:1] == ["--launch"]:
        launch(argv[1:])
    home = None
    if argv[:1] == ["--home"] and len(argv) > 1:
        home, argv = argv[1], argv[2:]
    report = argv[:1] == ["--report"]
    if report:
        argv = argv[1:]
    try:
        heard = forward(argv[0] if argv else "", home)
    except BaseException:  # a hook must never disturb its host, whatever happens
        heard = True
        stop_timer()
    if report:
        return 0 if heard else NOT_SENT
    if not heard and argv[:1] == ["SessionStart"]:
        _start(home)
    return 0


def forward(event: str, home: str | None) -> bool:
    """Send stdin; False when no listener was there (True when only the time was too short)."""
    start_timer(DEADLINE)
    try:
        payload = read_all(0)
        return payload is None or send(socket_path(home), header(event) + payload)
    except Late:
        return True
    finally:
        stop_timer()


def start_timer(seconds: float) -> None:
    """From here on, any wait of this process ends in `Late` once the time is up."""
    _signal.signal(_signal.SIGALRM, _late)
    _signal.setitimer(_signal.ITIMER_REAL, seconds, 0.01)  # again and again: one may fall into a cleanup


def stop_timer() -> None:
    """No alarm from here on; one that comes meanwhile is waited out, or it would kill the process at its end."""
    while True:
        try:
            _signal.setitimer(_signal.ITIMER_REAL, 0)
            _signal.signal(_signal.SIGALRM, _signal.SIG_IGN)
        except Late:
            continue
        return


def _late(signum: int, frame: object) -> None:  # noqa: ARG001
    raise Late


def read_all(fd: int) -> bytes | None:
    """Everything up to EOF, or None when it is more than the listener would take."""
    parts: list[bytes] = []
    size = 0
    while True:
        part = os.read(fd, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > MAX_PAYLOAD:
            return None


def header(event: str, provider: str = PROVIDER) -> bytes:
    """The header line: what only the client's environment knows, percent-encoded."""
    line = b"aitop/1\tprovider=" + provider.encode()
    pairs = [(b"event", os.fsencode(event), 64)]
    pairs += [(key, os.environb.get(name, b""), most) for key, name, most in FROM_ENVIRONMENT]
    for key, value, most in pairs:
        if len(value) > most:
            if key == b"config_dir":
                continue  # a path cut short is another path
            value = _cut(value, most)  # noqa: PLW2901
        if value:
            line += b"\t" + key + b"=" + _percent(value)
    return line + b"\n"


def _cut(value: bytes, most: int) -> bytes:
    """The first bytes, without a character cut in half at the end."""
    return value[:most].decode("utf-8", "ignore").encode()


def _percent(value: bytes) -> bytes:
    return b"".join(b"%c" % byte if byte in PLAIN else b"%%%02X" % byte for byte in value)


def socket_path(home: str | None = None) -> str:
    from aitop import paths

    return os.path.join(home or paths.home(), paths.SOCKET)


def send(path: str, message: bytes) -> bool:
    """Connect, send, close. False when no listener is there; the running timer bounds the rest."""
    if len(os.fsencode(path)) > 100:  # longer than a socket's address may be: go there instead
        os.chdir(os.path.dirname(path))
        path = os.path.basename(path)
    peer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        peer.connect(path)
        if _is_ours(peer):
            peer.sendall(message)
    except OSError as error:
        import errno

        return error.errno not in (errno.ENOENT, errno.ECONNREFUSED)
    finally:
        peer.close()
    return True


def _is_ours(peer: _socket.socket) -> bool:
    """Whether this user listens there: a payload holds a conversation. True where the system cannot say."""
    option = getattr(_socket, "SO_PEERCRED", None)
    if option is None:
        return True
    credentials = peer.getsockopt(_socket.SOL_SOCKET, option, 12)  # pid, uid, gid
    return int.from_bytes(credentials[4:8], sys.byteorder) == os.getuid()


def _start(home: str | None) -> None:
    """Start the listener without waiting, unless the user stopped it; `start` asks the configuration."""
    from aitop import paths

    home = home or paths.home()
    if os.path.exists(os.path.join(home, paths.STOPPED)) or os.fork():
        return
    os.environ["AITOP_HOME"] = home
    launch([sys.executable, "-P", "-m", "aitop", "start", "--quiet", "--from-hook"])


def launch(command: list[str]) -> None:
    """Become `command`, cut loose from the client: session, folder, descriptors and environment.

    The environment of a hook holds secrets of the client's; only what a listener needs goes on.
    """
    try:
        if os.fork():
            os._exit(0)
        os.setsid()
        os.chdir("/")
        os.closerange(0, 65536)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        kept = {k: v for k, v in os.environ.items() if k in KEPT or k.startswith(KEPT_PREFIXES)}
        for number in (_signal.SIGPIPE, _signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
            _signal.signal(number, _signal.SIG_DFL)
        os.execvpe(command[0], command, kept)  # noqa: S606
    except BaseException:
        os._exit(0)


if __name__ == "__main__":
    # Under -I -S neither the script's folder nor site-packages is on the path. At its end, so
    # that nothing beside this package can stand in front of the standard library.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    os._exit(main(sys.argv[1:]))  # no clean-up of the interpreter: it costs as much as the work
