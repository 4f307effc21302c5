"""`service`: the listener, or the gateway, under the system's own service manager."""

import importlib.util
import os

import click

from aitop import paths
from aitop.install import connect, files, forwarder, record, scripts
from aitop.install import service as units
from aitop.system import installation

OF_GATEWAY = click.option("--gateway", is_flag=True, help="The gateway's service instead of the listener's.")


@click.group()
def service() -> None:
    """Run the listener, or the gateway, as a systemd or launchd service."""


@service.command("install")
@OF_GATEWAY
def service_install(*, gateway: bool) -> None:
    """Write the service, start it now and at every login.

    The gateway serves what the configuration says: gateway.port, [gateway.upstreams].
    """
    try:
        with files.lock():
            if gateway:
                _install_gateway()
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


def _install_gateway() -> None:
    if importlib.util.find_spec("aiohttp") is None:
        raise files.Refused(f"`aitop gateway` needs aiohttp: {installation.add_extra('gateway')}")
    for line in units.install(units.GATEWAY):
        click.echo(line)


@service.command("uninstall")
@OF_GATEWAY
def service_uninstall(*, gateway: bool) -> None:
    """Stop the service and remove it."""
    try:
        with files.lock():
            if gateway:
                for line in units.uninstall(units.GATEWAY) or ["no service of the gateway is installed"]:
                    click.echo(line)
                return
            for line in units.uninstall() or ["no service is installed"]:
                click.echo(line)
            _after_service(None)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


@service.command("status")
@OF_GATEWAY
def service_status(*, gateway: bool) -> None:
    """Whether the service is installed and running. Exit code 3 when it is not."""
    active, line = units.status(units.GATEWAY if gateway else units.LISTENER)
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
