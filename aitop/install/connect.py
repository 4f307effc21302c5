"""Connect Claude Code: plan every file first, then write all of them or none, and take it out again.

What is written: the two scripts under `$AITOP_HOME`, the settings of each folder served, and keys of the
user's configuration where the listener would not find those folders by itself, or telemetry is wanted.
Each function runs under the caller's `files.lock()` and returns what it did, a line each.
"""

import contextlib
import os
from dataclasses import dataclass

from aitop import config, paths
from aitop.install import apply, files, forwarder, otel, record, roots, settings, telemetry, user_config
from aitop.install import service as units
from aitop.install.toml_text import Value
from aitop.listener import environment


@dataclass(frozen=True, slots=True)
class Connection:
    """All files that connecting changes. `sending`: telemetry, or None to leave that alone."""

    settings: tuple[apply.Plan, ...]
    configuration: user_config.Plan | None
    sending: otel.Wanted | None

    @property
    def diff(self) -> str:
        diffs = [step.diff for step in self.settings]
        if self.configuration is not None:
            diffs.append(self.configuration.diff)
        return "\n".join(filter(None, diffs))

    @property
    def paths(self) -> list[str]:
        """Every file that `write` may touch."""
        own = (paths.HOOK, paths.STATUSLINE, paths.INSTALLED, paths.OTEL)
        others = [self.configuration.path] if self.configuration else []
        return [*(step.path for step in self.settings), *others, *map(paths.in_home, own)]


def entries(*, statusline: bool, hooks: bool = True) -> settings.Entries:
    return settings.Entries(
        paths.in_home(paths.HOOK) if hooks else None, paths.in_home(paths.STATUSLINE) if statusline else None
    )


def plan(
    served: list[str],
    installed: record.Installed,
    *,
    statusline: bool,
    hooks: bool = True,
    sending: otel.Wanted | None = None,
) -> Connection:
    """What connecting these folders changes. Raises files.Refused before anything is written."""
    steps = tuple(apply.plan(root, entries(statusline=statusline, hooks=hooks), sending) for root in served)
    keys: dict[str, Value] = {}
    folders = roots.to_record(served, installed)
    if folders is not None:
        keys[roots.KEY] = folders
    if sending is not None:
        keys |= telemetry.keys(sending)
    return Connection(steps, user_config.plan(keys, installed), sending)


def write(
    connection: Connection, installed: record.Installed, proofs: list[forwarder.Proof] | None = None
) -> list[str]:
    """Carry out a plan, all or none of it. Raises files.Refused."""
    with files.all_or_none(connection.paths):
        lines = write_scripts(installed, proofs)
        for step in connection.settings:
            apply.write(step, installed)
            lines.append(f"{step.path}: {'connected' if step.diff else 'is connected already'}")
        if connection.configuration is not None:
            lines.append(user_config.write(connection.configuration, installed))
        record.save(installed)
    remember_environment()
    return lines


def remember_environment() -> None:
    """Keep the clients' variables of this shell for a listener that a hook or a service starts."""
    with contextlib.suppress(OSError):
        environment.remember(os.environ, by_hand=True)


def write_scripts(installed: record.Installed, proofs: list[forwarder.Proof] | None = None) -> list[str]:
    """Write the scripts that settings call, with the fastest forwarder that passed its trials."""
    home = paths.home()
    proofs = proofs or forwarder.choose()
    best = proofs[0]
    try:
        launch = units.launch_command() if config.load()["listener.autostart"] else None
    except config.ConfigError:
        launch = units.launch_command()  # `start` reads the configuration again, and says what is wrong
    hook, line = paths.in_home(paths.HOOK), paths.in_home(paths.STATUSLINE)
    forwarder.write_script(hook, forwarder.render(best.kind, home, launch))
    forwarder.write_script(line, forwarder.render_statusline(home, best.kind))
    installed.scripts = list(dict.fromkeys([*installed.scripts, hook, line]))
    installed.forwarder = best.kind
    record.save(installed)
    failed = [
        f"{proof.kind} cannot forward events here: {proof.problem}" for proof in proofs if proof.problem
    ]
    return [*failed, f"{hook}: forwards with {best.kind}, {best.milliseconds:.1f} ms an event"]


def undo(dirs: tuple[str, ...]) -> list[str]:
    """Our entries out of these folders' settings; out of all that were ever written where none is named."""
    installed = record.load()
    named = [os.path.join(root, "settings.json") for root in roots.chosen(dirs)]
    lines: list[str | None] = []
    for path in named if dirs else dict.fromkeys([*installed.settings, *named]):
        lines.append(apply.undo(path, installed))
        record.save(installed)
    if not installed.settings:
        # The scripts stay until `aitop uninstall`: a session that still runs may call them.
        lines.append(user_config.unset([roots.KEY, *telemetry.KEYS], installed))
        lines.append(telemetry.remove_token())
    record.save(installed)
    return [line for line in lines if line]


def undo_statusline() -> list[str]:
    """The status line alone out of every settings file that we wrote; hooks stay. Raises files.Refused."""
    installed = record.load()
    lines = []
    for path in list(installed.settings):
        step = apply.without_statusline(path, installed)
        if step is not None:
            apply.write(step, installed)
            lines.append(f"{path}: the status line is as it was before")
    record.save(installed)
    return lines


def remove_scripts() -> list[str]:
    """The scripts that settings called, and what a start by them remembers. Settings go before them."""
    installed = record.load()
    lines = []
    for path in [*installed.scripts, paths.in_home(environment.FILE)]:
        if os.path.exists(path):
            os.unlink(path)
            lines.append(f"{path}: removed")
    installed.scripts = []
    installed.forwarder = None
    record.save(installed)
    return lines
