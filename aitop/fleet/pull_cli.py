"""`aitop pull`: bring the responses of one's other machines over ssh. Parses, starts ssh, keeps, prints."""

import shlex
import sqlite3
import subprocess
import tempfile
import time

import click

from aitop import config, paths
from aitop.fleet import machines

CONNECT_SECONDS = 10
SECONDS = 600.0  # for one machine


@click.command()
@click.argument("hosts", metavar="HOST...", nargs=-1)
def pull(hosts: tuple[str, ...]) -> None:
    """Bring the responses of your other machines over ssh, each counted once.

    HOST is what ssh takes: a name of your ssh configuration, or user@host. Without one: fleet.machines. Only what
    is new since the last pull travels. Nothing listens anywhere; the other machine needs aitop and its history.

    \b
      [fleet]                            # in the configuration
      machines = ["box1", "me@box2"]
      command = "~/.local/bin/aitop"     # where ssh does not find aitop on its own

    `aitop report --host` shows each machine; one that cannot be reached keeps its numbers, with their age.
    Ends with 1 when one of them could not be reached.
    """  # noqa: D301 - click's own mark
    try:
        settings = config.load()
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error
    wanted = hosts or tuple(settings["fleet.machines"])
    if not wanted:
        raise click.UsageError("name a HOST, or set fleet.machines")
    for host in wanted:
        if host.startswith("-") or not host.isprintable() or not host:
            raise click.UsageError(f"{host!r} is no host")
    failed = False
    try:
        db = machines.connect(paths.home())
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"{paths.in_home(machines.NAME)}: {error}") from error
    try:
        for host in wanted:
            try:
                count = _pull(db, settings, host)
                click.echo(f"{host}: {count} records")
            except (machines.PullError, sqlite3.Error) as error:
                failed = True
                click.echo(f"aitop pull: {error}", err=True)
    finally:
        db.close()
    if failed:
        raise click.exceptions.Exit(1)


def _pull(db: sqlite3.Connection, settings: config.Config, host: str) -> int:
    """One machine; everything again where something was missed. Raises PullError, sqlite3.Error."""
    mark = machines.mark(db, host)
    try:
        return _ask(db, settings, host, mark)
    except machines.MismatchError:
        if not mark:
            raise
        return _ask(db, settings, host, "")


def _ask(db: sqlite3.Connection, settings: config.Config, host: str, mark: str) -> int:
    remote = f"{settings['fleet.command']} state --records --since {shlex.quote(mark or '0')}"
    command = [*shlex.split(settings["fleet.ssh"]), "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}",
               "-C", "--", host, remote]  # fmt: skip
    with tempfile.TemporaryFile("w+b") as kept, tempfile.TemporaryFile("w+b") as stderr:
        try:
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=kept, stderr=stderr, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise machines.PullError(f"{host}: did not answer within {SECONDS:g} s") from error
        except OSError as error:
            raise machines.PullError(f"{command[0]}: {error.strerror}: install an ssh client") from error
        stderr.seek(0)
        words = "".join(
            c for c in stderr.read(4000).decode("utf-8", "replace").strip() if c.isprintable() or c == "\n"
        )
        if ended.returncode:
            reason = words.splitlines()[-1] if words else f"exit code {ended.returncode}"
            hint = "; is aitop on its PATH? See fleet.command" if ended.returncode == 127 else ""
            raise machines.PullError(f"{host}: {reason}{hint}")
        kept.seek(0)
        return machines.take(db, host, (line.decode() for line in kept), time.time())
