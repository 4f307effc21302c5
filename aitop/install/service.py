"""The listener as a service of the user's: a systemd unit on Linux, a launchd agent on macOS.

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

from aitop import paths
from aitop.install import files

UNIT = """\
# Written by `aitop service install`, which may write it again.
[Unit]
Description=aitop: what AI coding costs while it happens
ConditionPathExists=!{stopped}

[Service]
Type=notify
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Environment={environment}
Restart=on-failure
RestartSec=2
WatchdogSec=30
TimeoutStopSec=15
UMask=0077
Nice=5
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


def is_mac() -> bool:
    return sys.platform == "darwin"


def name() -> str:
    """One service for each home: the usual one has the plain name."""
    home = paths.home()
    if home == os.path.abspath(os.path.expanduser("~/.aitop")):
        return "aitop"
    return f"aitop-{hashlib.sha256(os.fsencode(home)).hexdigest()[:8]}"


def label() -> str:
    return f"local.{name()}.listener"


def path() -> str:
    """Where the unit or the plist of this home is (or would be)."""
    if is_mac():
        return os.path.expanduser(f"~/Library/LaunchAgents/{label()}.plist")
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(base, "systemd", "user", f"{name()}.service")


def is_installed() -> bool:
    return os.path.exists(path())


def listener_command(word: str = "listen") -> list[str]:
    """Absolute, and blind to the folder it is started in: `-P` keeps that off the module path."""
    return [sys.executable, "-P", "-m", "aitop", word]


def environment() -> dict[str, str]:
    found = {"AITOP_HOME": paths.home()}
    if os.environ.get("AITOP_CONFIG"):
        found["AITOP_CONFIG"] = paths.config_file()
    return found


def unit_text() -> str:
    return UNIT.format(
        stopped=paths.in_home(paths.STOPPED).replace("%", "%%"),
        command=" ".join(_unit_word(word).replace("$", "$$") for word in listener_command()),
        environment=" ".join(_unit_word(f"{key}={value}") for key, value in environment().items()),
    )


def _unit_word(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def plist_bytes() -> bytes:
    return plistlib.dumps(
        {
            "Label": label(),
            "ProgramArguments": listener_command(),
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


def install() -> list[str]:
    """Write the service and start it; says what it did, and what is left to do."""
    target = path()
    content = plist_bytes() if is_mac() else unit_text().encode()
    files.replace(target, files.read(target), content)
    os.chmod(target, 0o644)
    said = [f"wrote {target}"]
    if is_mac():
        domain = f"gui/{os.getuid()}"
        _run(["launchctl", "bootout", f"{domain}/{label()}"])
        steps = [["launchctl", "bootstrap", domain, target]]
    else:
        steps = [["systemctl", "--user", "daemon-reload"], _ctl("enable", "--now")]
    return said + _run_all(steps, "the listener now starts when you log in, and is running")


def uninstall() -> list[str]:
    """Stop and remove the service; says what it did."""
    target = path()
    if not os.path.exists(target):
        return []
    if is_mac():
        _run(["launchctl", "bootout", f"gui/{os.getuid()}/{label()}"])
        os.unlink(target)
        return [f"stopped the service and removed {target}"]
    problem = _run(_ctl("disable", "--now"))
    os.unlink(target)
    _run(["systemctl", "--user", "daemon-reload"])
    return [f"removed {target} ({problem})" if problem else f"stopped the service and removed {target}"]


def status() -> tuple[bool, str]:
    """Whether the service is installed and running, and a line about it."""
    if not is_installed():
        return False, "no service is installed; `aitop service install` writes one"
    if is_mac():
        problem = _run(["launchctl", "print", f"gui/{os.getuid()}/{label()}"])
        return problem is None, f"{path()}: {'loaded' if problem is None else problem}"
    try:
        done = subprocess.run(_ctl("is-active"), capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"{path()}: systemctl cannot be run ({error})"
    state = done.stdout.strip() or (done.stderr.strip().splitlines() or ["unknown"])[0]
    return state == "active", f"{path()}: {state}"


def _ctl(*words: str) -> list[str]:
    return ["systemctl", "--user", *words, f"{name()}.service"]


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
