"""`listen`, `start`, `stop`, `status`, `config`: thin commands around the listener."""

import json
import os
import sys
import time

import click

from aitop import paths


@click.command()
@click.option("--quiet", is_flag=True, help="Log to the file only.")
@click.option("--replace", is_flag=True, help="Replace the listener that runs now, if there is one.")
def listen(quiet: bool, replace: bool) -> None:
    """Run the listener in the foreground until SIGTERM or Ctrl-C.

    SIGHUP reads the configuration again. `aitop service install` runs it at login.
    """
    from aitop.listener import run

    sys.exit(run.main(echo=not quiet, replace=replace))


@click.command()
@click.option("--quiet", is_flag=True, help="Say nothing when all is well.")
@click.option("--from-hook", is_flag=True, hidden=True, help="Started by a SessionStart hook.")
def start(quiet: bool, from_hook: bool) -> None:
    """Start the listener in the background."""
    from aitop.listener import lifecycle

    if from_hook:
        from aitop.config import ConfigError, load

        try:
            wanted = load()["listener.autostart"]
        except ConfigError:
            wanted = True
        if not wanted or os.path.exists(paths.in_home(paths.STOPPED)):
            return
    try:
        lifecycle.prepare_home(paths.home())
    except lifecycle.LifeError as error:
        raise click.ClickException(str(error)) from error
    changed = _remember(by_hand=not from_hook)
    running = lifecycle.running()
    try:
        outdated = lifecycle.outdated(running) if running is not None else None
        if running is not None and outdated is None:
            if not quiet:
                click.echo(f"the listener runs already (pid {running.get('pid')})")
                if changed:
                    click.echo(f"it does not know {', '.join(changed)} as set now: aitop stop; aitop start")
            return
        started = lifecycle.start_detached(replace=running is not None)
    except lifecycle.LifeError as error:
        raise click.ClickException(str(error)) from error
    if not started:
        raise click.ClickException(f"the listener did not start; see {paths.in_home(paths.LOG)}")
    if not quiet:
        now = lifecycle.running() or {}
        replaced = f", in the place of {outdated}" if outdated else ""
        click.echo(f"the listener runs (pid {now.get('pid')}{replaced})")
        _say_when_not_in_force()


def _say_when_not_in_force() -> None:
    """A configuration that cannot be read is not used: the listener runs with the defaults."""
    from aitop.config import ConfigError, load

    try:
        load()
    except ConfigError as error:
        click.echo(f"your configuration is not in force: {error}", err=True)


def _remember(*, by_hand: bool) -> list[str]:
    """Keep the clients' variables for a start by hook or service; the names that changed."""
    from aitop.listener import environment

    try:
        return environment.remember(os.environ, by_hand=by_hand)
    except OSError:
        return []  # a full disk: this start has the variables all the same


@click.command()
def stop() -> None:
    """Stop the listener; it stays stopped until `aitop start`."""
    from aitop.listener import lifecycle

    home = paths.home()
    if os.path.isdir(home):
        try:
            mark = os.open(os.path.join(home, paths.STOPPED), os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(mark, "w", encoding="utf-8") as file:
                file.write("aitop start removes this file\n")
        except OSError as error:
            click.echo(f"a new session may start it again: {lifecycle.unwritable(home, error)}", err=True)
    was = lifecycle.running()
    if not lifecycle.stop():
        raise click.ClickException(f"the listener did not stop within 10 s (pid {(was or {}).get('pid')})")
    click.echo("the listener is stopped" if was else "no listener was running")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def status(as_json: bool) -> None:
    """Whether the listener runs, what it reads, and how much it has read.

    Exit codes: 0 it runs, 3 it does not.
    """
    from aitop import state as published
    from aitop.listener import lifecycle

    holder = lifecycle.running()
    state = published.read() or {}
    now = time.time()
    age = published.age(state, now)
    if as_json:
        answer = {"running": holder is not None, "listener": holder, "state_age": age, "scan": state.get("scan"),
                  "hooks": state.get("hooks"), "home": paths.home()}  # fmt: skip
        click.echo(json.dumps(answer, indent=1))
    elif holder is None:
        held = os.path.exists(paths.in_home(paths.STOPPED))
        click.echo(
            "no listener runs"
            + (" (stopped by `aitop stop`)" if held else "")
            + ": start it with `aitop start`"
        )
    else:
        _tell(holder, state, age, now)
    sys.exit(0 if holder is not None else 3)


def _tell(holder: dict[str, object], state: dict[str, object], age: float | None, now: float) -> None:
    started = holder.get("started_at")
    since = f", for {_span(now - started)}" if isinstance(started, int | float) else ""
    click.echo(f"listener  runs (pid {holder.get('pid')}, version {holder.get('version')}{since})")
    click.echo(f"home      {paths.home()}")
    if age is None:
        click.echo("state     not published yet")
        return
    click.echo(f"state     written {age:.1f} s ago")
    scan, hooks, checks = state.get("scan"), state.get("hooks"), state.get("doctor")
    if isinstance(checks, dict) and checks.get("config_error"):
        click.echo(f"config    not in force: {checks['config_error']}")
    if isinstance(scan, dict):
        done, total = scan["done_bytes"] / 1e6, scan["total_bytes"] / 1e6
        how = "complete" if scan["complete"] else f"{100 * done / total if total else 0:.0f} %"
        click.echo(f"reading   {how} ({done:,.1f} of {total:,.1f} MB since this start)")
    if isinstance(hooks, dict):
        click.echo(
            f"hooks     {hooks['received']} received, {hooks['unique']} unique, {hooks['rejected']} rejected"
        )


def _span(seconds: float) -> str:
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min" if minutes else f"{int(seconds)} s"


@click.command()
@click.option("--defaults", is_flag=True, help="Print every key with its meaning and default, as TOML.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the file, for editors.")
@click.option("--json", "as_json", is_flag=True, help="The values in force, as JSON.")
@click.option("--path", "show_path", is_flag=True, help="Print which file is read.")
def config(defaults: bool, schema: bool, as_json: bool, show_path: bool) -> None:
    """The configuration in force; exit code 1 and the key's path when the file is wrong."""
    from aitop import config as room

    if defaults:
        click.echo(room.defaults_toml(), nl=False)
        return
    if schema:
        from aitop.config.schema import schema as make_schema

        click.echo(json.dumps(make_schema(), indent=1))
        return
    if show_path:
        click.echo(paths.config_file())
        return
    try:
        values = room.load()
    except room.ConfigError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(values.values, indent=1))
        return
    exists = os.path.exists(paths.config_file())
    click.echo(f"# {paths.config_file()}{'' if exists else ' (not there: all defaults)'}")
    for key in room.KEYS:
        changed = "" if values[key.path] == key.default else "   # changed"
        click.echo(f"{key.path} = {json.dumps(values[key.path], ensure_ascii=False)}{changed}")
