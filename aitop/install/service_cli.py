"""`service`: the listener, the gateway or the web server under the system's own service manager."""

import importlib.util
import os
from collections.abc import Callable

import click

from aitop import paths
from aitop.install import connect, files, forwarder, record, scripts
from aitop.install import service as units
from aitop.system import installation

NEEDED = {"gateway": "aiohttp", "web": "aiohttp"}  # program → what its extra brings


def of_program(command: Callable[..., None]) -> Callable[..., None]:
    """Add the argument that names the program of the service."""
    flag = click.option("--gateway", is_flag=True, help="The same as the word gateway.")
    return click.argument("program", type=click.Choice(list(units.PROGRAMS)), required=False)(flag(command))


def _chosen(program: str | None, *, gateway: bool) -> units.Program:
    return units.PROGRAMS["gateway" if gateway else program or "listener"]


@click.group()
def service() -> None:
    """Run the listener, the gateway or the web server as a systemd or launchd service."""


@service.command("install")
@of_program
def service_install(*, program: str | None, gateway: bool) -> None:
    """Write the service, and start it now and at every login.

    It is the listener's, or that of the PROGRAM named. The gateway and the web server serve what the configuration
    says: gateway.port, [gateway.upstreams], web.port.
    """
    chosen = _chosen(program, gateway=gateway)
    try:
        with files.lock():
            if chosen is not units.LISTENER:
                _install_other(chosen)
                return
            for line in install_listener():
                click.echo(line)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


def install_listener() -> list[str]:
    """Write the listener's service and start it in the place of the one that runs; says what it did."""
    from aitop.listener import lifecycle

    if os.path.exists(paths.in_home(paths.STOPPED)):
        os.unlink(paths.in_home(paths.STOPPED))
    ran = lifecycle.running() is not None
    if ran:
        lifecycle.stop(10.0)  # the service's own takes over
    connect.remember_environment()
    lines = units.install()
    if ran and not units.status()[0]:
        lifecycle.start_detached()
        lines.append("until then a listener runs as before")
    _after_service(units.path())
    return lines


def _install_other(program: units.Program) -> None:
    if importlib.util.find_spec(NEEDED[program.word]) is None:
        add = installation.add_extra(program.word)
        raise files.Refused(f"`aitop {program.word}` needs {NEEDED[program.word]}: {add}")
    for line in units.install(program):
        click.echo(line)
    if program is units.WEB:
        click.echo("`aitop web` opens its pages")


@service.command("uninstall")
@of_program
def service_uninstall(*, program: str | None, gateway: bool) -> None:
    """Stop the service and remove it."""
    chosen = _chosen(program, gateway=gateway)
    try:
        with files.lock():
            if chosen is not units.LISTENER:
                for line in units.uninstall(chosen) or [f"no service of the {chosen.noun} is installed"]:
                    click.echo(line)
                return
            for line in units.uninstall() or ["no service is installed"]:
                click.echo(line)
            _after_service(None)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


@service.command("status")
@of_program
def service_status(*, program: str | None, gateway: bool) -> None:
    """Whether the service is installed and running. Exit code 3 when it is not."""
    active, line = units.status(_chosen(program, gateway=gateway))
    click.echo(line)
    if not active:
        raise SystemExit(3)


def _after_service(path: str | None) -> None:
    """The hook script starts the listener through the service, so it is written again."""
    installed = record.load()
    installed.service = path
    if installed.forwarder in scripts.KINDS:
        connect.write_scripts(installed, [forwarder.Proof(installed.forwarder, 0.0)])
    record.save(installed)
