"""The listener, the gateway and the web server as the user's services: systemd units, launchd agents on macOS.

Hardening stays within what an unprivileged user manager can enforce without namespaces of its own:
where those are forbidden, a unit that asks for them does not start at all. The listener must read
the client's folders and write its home, and no more than that is taken for granted.
"""

import hashlib
import os
import plistlib
import shlex
import subprocess
import sys
from dataclasses import dataclass

from aitop import paths
from aitop.install import files

UNIT = """\
# Written by `aitop service install`, which may write it again.
[Unit]
Description=aitop: {about}
{condition}
[Service]
{kind}ExecStart={command}
Environment={environment}
Restart=on-failure
RestartSec=2
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, slots=True)
class Program:
    """What a service runs: `aitop WORD`. `kind`: lines of its unit that only it has."""

    word: str
    noun: str
    suffix: str  # of the service's name
    about: str
    kind: str
    stoppable: bool = False  # `aitop stop` holds it back


LISTENER = Program(
    "listen", "listener", "", "what AI coding costs while it happens",
    "Type=notify\nExecReload=/bin/kill -HUP $MAINPID\nWatchdogSec=30\nTimeoutStopSec=15\nNice=5\n", stoppable=True,
)  # fmt: skip
# Its stop waits for running answers.
GATEWAY = Program(
    "gateway", "gateway", "-gateway", "a relay that counts what passes", "Type=exec\nTimeoutStopSec=75\n"
)


# Its stop cuts the streams of open tabs.
WEB = Program(
    "web", "web server", "-web", "the numbers as pages in a browser", "Type=exec\nTimeoutStopSec=15\nNice=5\n"
)
PROGRAMS = {"listener": LISTENER, "gateway": GATEWAY, "web": WEB}


def is_mac() -> bool:
    return sys.platform == "darwin"


def name() -> str:
    """One service of a kind for each home: the usual one has the plain name."""
    home = paths.home()
    if home == os.path.abspath(os.path.expanduser("~/.aitop")):
        return "aitop"
    return f"aitop-{hashlib.sha256(os.fsencode(home)).hexdigest()[:8]}"


def label(program: Program = LISTENER) -> str:
    return f"local.{name()}.{program.noun}"


def path(program: Program = LISTENER) -> str:
    """Where the unit or the plist of this home is (or would be)."""
    if is_mac():
        return os.path.expanduser(f"~/Library/LaunchAgents/{label(program)}.plist")
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(base, "systemd", "user", f"{name()}{program.suffix}.service")


def is_installed(program: Program = LISTENER) -> bool:
    return os.path.exists(path(program))


def listener_command(word: str = "listen") -> list[str]:
    """Absolute, and blind to the folder it is started in: `-P` keeps that off the module path."""
    return [sys.executable, "-P", "-m", "aitop", word]


def environment() -> dict[str, str]:
    variables = {"AITOP_HOME": paths.home()}
    if os.environ.get("AITOP_CONFIG"):
        variables["AITOP_CONFIG"] = paths.config_file()
    return variables


def unit_text(program: Program = LISTENER) -> str:
    stopped = paths.in_home(paths.STOPPED).replace("%", "%%")
    return UNIT.format(
        about=program.about,
        condition=f"ConditionPathExists=!{stopped}\n" if program.stoppable else "",
        kind=program.kind,
        command=" ".join(_unit_word(word).replace("$", "$$") for word in listener_command(program.word)),
        environment=" ".join(_unit_word(f"{key}={value}") for key, value in environment().items()),
    )


def _unit_word(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def plist_bytes(program: Program = LISTENER) -> bytes:
    return plistlib.dumps(
        {
            "Label": label(program),
            "ProgramArguments": listener_command(program.word),
            "EnvironmentVariables": environment(),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 2,
            "ProcessType": "Background",
            "Umask": 0o077,
            "WorkingDirectory": "/",
            "StandardOutPath": "/dev/null",
            "StandardErrorPath": "/dev/null",
        }
    )


def launch_command() -> list[str]:
    """What a hook runs to start the listener: the service where there is one, else `aitop start`."""
    start = [*listener_command("start"), "--quiet", "--from-hook"]
    if not is_installed():
        return start
    through = (
        ["launchctl", "kickstart", f"gui/{os.getuid()}/{label()}"]
        if is_mac()
        else _ctl("start", "--no-block")
    )
    return ["/bin/sh", "-c", f"{shlex.join(through)} || exec {shlex.join(start)}"]


def install(program: Program = LISTENER) -> list[str]:
    """Write the service and start it; says what it did, and what is left to do."""
    target = path(program)
    content = plist_bytes(program) if is_mac() else unit_text(program).encode()
    files.replace(target, files.read(target), content)
    os.chmod(target, 0o644)
    lines = [f"wrote {target}"]
    if is_mac():
        domain = f"gui/{os.getuid()}"
        _run(["launchctl", "bootout", f"{domain}/{label(program)}"])
        steps = [["launchctl", "bootstrap", domain, target]]
    else:
        steps = [["systemctl", "--user", "daemon-reload"], _ctl("enable", "--now", program=program)]
    return lines + _run_all(steps, f"the {program.noun} now starts when you log in, and is running")


def uninstall(program: Program = LISTENER) -> list[str]:
    """Stop and remove the service; says what it did."""
    target = path(program)
    if not os.path.exists(target):
        return []
    if is_mac():
        _run(["launchctl", "bootout", f"gui/{os.getuid()}/{label(program)}"])
        os.unlink(target)
        return [f"stopped the service and removed {target}"]
    problem = _run(_ctl("disable", "--now", program=program))
    os.unlink(target)
    _run(["systemctl", "--user", "daemon-reload"])
    return [f"removed {target} ({problem})" if problem else f"stopped the service and removed {target}"]


def status(program: Program = LISTENER) -> tuple[bool, str]:
    """Whether the service is installed and running, and a line about it."""
    if not is_installed(program):
        more = "" if program is LISTENER else f" {program.word}"
        return False, f"no service is installed; `aitop service install{more}` writes one"
    if is_mac():
        problem = _run(["launchctl", "print", f"gui/{os.getuid()}/{label(program)}"])
        return problem is None, f"{path(program)}: {'loaded' if problem is None else problem}"
    try:
        done = subprocess.run(
            _ctl("is-active", program=program), capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"{path(program)}: systemctl cannot be run ({error})"
    state = done.stdout.strip() or (done.stderr.strip().splitlines() or ["unknown"])[0]
    return state == "active", f"{path(program)}: {state}"


def _ctl(*words: str, program: Program = LISTENER) -> list[str]:
    return ["systemctl", "--user", *words, f"{name()}{program.suffix}.service"]


def _run_all(steps: list[list[str]], success: str) -> list[str]:
    for step in steps:
        problem = _run(step)
        if problem:
            rest = " && ".join(shlex.join(left) for left in steps[steps.index(step) :])
            return [f"{shlex.join(step)}: {problem}", f"when that works, run: {rest}"]
    return [success]


def _run(command: list[str]) -> str | None:
    """Run a command of the system's; what went wrong, or None."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        return f"{command[0]} is not on this machine"
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return (
        done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or [f"exit {done.returncode}"]
    )[0]
