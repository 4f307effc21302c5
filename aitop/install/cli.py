"""`install`, `uninstall` and `service`: parse, call the rooms of this folder, print.

Without --write nothing on the disk changes.
"""

import importlib.util
import os
import shutil

import click

from aitop import config, paths
from aitop.install import (
    apply,
    files,
    forwarder,
    otel,
    otel_config,
    record,
    roots,
    scripts,
    settings,
    telemetry,
    written,
)
from aitop.install import service as units

ROOTS_HELP = (
    "A folder of Claude Code's settings; may be given several times. [default: $CLAUDE_CONFIG_DIR, ~/.claude]"
)


@click.command()
@click.option("--write", is_flag=True, help="Apply the change instead of showing it.")
@click.option("--statusline", is_flag=True, help="Also feed Claude Code's status line, in front of your own.")
@click.option(
    "--otel",
    "otel_too",
    is_flag=True,
    help="Also have Claude Code send its telemetry here; see docs/otel.md.",
)
@click.option(
    "--forward", metavar="URL", help="With --otel: your own collector, which gets it all unchanged."
)
@click.option("--uninstall", "undo", is_flag=True, help="Take our entries out of the settings again.")
@click.option("--config-dir", "dirs", multiple=True, metavar="DIR", help=ROOTS_HELP)
def install(
    *, write: bool, statusline: bool, otel_too: bool, forward: str | None, undo: bool, dirs: tuple[str, ...]
) -> None:
    """Connect Claude Code: show the change to settings.json, --write applies it.

    Other hooks, the order of keys and the spacing stay. The first original is kept under
    $AITOP_HOME/backups and comes back byte for byte with --uninstall, unless the file was changed
    since: then only our entries go. --otel --uninstall takes out the telemetry alone.
    """
    if forward is not None and (undo or not otel_too or not forward.startswith(("http://", "https://"))):
        raise click.UsageError("--forward goes with --otel and is an address such as http://localhost:4318")
    try:
        if undo:
            with files.lock():
                _undo_telemetry(dirs) if otel_too else _undo_settings(dirs)
        elif write:
            with files.lock():
                _write(roots.chosen(dirs), statusline, telemetry.wanted(forward) if otel_too else None)
        else:
            _show(roots.chosen(dirs), statusline, telemetry.wanted(forward) if otel_too else None)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


def entries(*, statusline: bool) -> settings.Entries:
    return settings.Entries(
        paths.in_home(paths.HOOK), paths.in_home(paths.STATUSLINE) if statusline else None
    )


def _show(served: list[str], statusline: bool, sending: otel.Wanted | None) -> None:
    plans = [apply.plan(root, entries(statusline=statusline), sending) for root in served]
    for step in plans:
        click.echo(step.diff or f"{step.path}: nothing to change")
    if any(step.diff for step in plans):
        click.echo("\nNothing was written. `aitop install --write` applies this.", err=True)
    if sending is not None:
        forwarded = f" and otel.forward = {sending.forward}" if sending.forward else ""
        click.echo(f"\n{paths.config_file()}: otel.enabled = true{forwarded}\n")
        click.echo(otel.others(sending.port, sending.token, os.path.expanduser("~")))


def _write(served: list[str], statusline: bool, sending: otel.Wanted | None) -> None:
    plans = [apply.plan(root, entries(statusline=statusline), sending) for root in served]
    if sending is not None:  # nothing stands in the way
        sending = telemetry.with_token(sending)
        plans = [apply.plan(root, entries(statusline=statusline), sending) for root in served]
    installed = record.load()
    for line in write_scripts(installed):
        click.echo(line)
    for step in plans:
        apply.write(step, installed)
        click.echo(f"{step.path}: {'connected' if step.diff else 'is connected already'}")
    said = [roots.record(served, installed)]
    if sending is not None:
        said.append(otel_config.record(sending.forward, installed))
    record.save(installed)
    for line in filter(None, said):
        click.echo(line)
    if sending is not None:
        click.echo("Claude Code reads its settings at its start: sessions that run now send nothing yet.\n")
        click.echo(otel.others(sending.port, sending.token, os.path.expanduser("~")))
    click.echo("Done. `aitop start` starts the listener now; a new Claude Code session does so too.")
    click.echo("`aitop doctor` checks everything, `aitop install --uninstall` takes it out again.")


def write_scripts(installed: record.Installed, proofs: list[forwarder.Proof] | None = None) -> list[str]:
    """(Re)write the scripts that settings call, with the fastest forwarder that proves itself."""
    home = paths.home()
    proofs = proofs or forwarder.choose()
    best = proofs[0]
    try:
        launch = units.launch_command() if config.load()["listener.autostart"] else None
    except config.ConfigError:
        launch = units.launch_command()  # `start` reads the configuration again, and says what is wrong
    hook, line = paths.in_home(paths.HOOK), paths.in_home(paths.STATUSLINE)
    forwarder.write_script(hook, forwarder.render(best.kind, home, launch))
    forwarder.write_script(line, forwarder.render_statusline(home))
    installed.scripts = list(dict.fromkeys([*installed.scripts, hook, line]))
    installed.forwarder = best.kind
    record.save(installed)
    said = [f"{proof.kind} is no forwarder here: {proof.problem}" for proof in proofs if proof.problem]
    return [*said, f"{hook}: forwards with {best.kind}, {best.milliseconds:.1f} ms an event"]


def _undo_settings(dirs: tuple[str, ...]) -> None:
    installed = record.load()
    chosen = roots.chosen(dirs)
    found = [os.path.join(root, "settings.json") for root in chosen]
    for path in found if dirs else dict.fromkeys([*installed.settings, *found]):
        click.echo(apply.undo(path, installed))
        record.save(installed)
    if not installed.settings:
        # The scripts stay until `aitop uninstall`: a session that still runs may call them.
        said = roots.forget(installed)
        if said:
            click.echo(said)
        for line in telemetry.forget(installed):
            click.echo(line)
    record.save(installed)


def _undo_telemetry(dirs: tuple[str, ...]) -> None:
    """Our variables out of the settings, the receiver off; hooks and status line stay."""
    installed = record.load()
    for line in telemetry.undo(roots.chosen(dirs), installed, others_too=not dirs):
        click.echo(line)
    record.save(installed)


def _remove_scripts(installed: record.Installed) -> None:
    for path in installed.scripts:
        if os.path.exists(path):
            os.unlink(path)
            click.echo(f"{path}: removed")
    installed.scripts = []
    installed.forwarder = None


@click.command()
@click.option(
    "--purge", is_flag=True, help="Also delete the history, the configuration and every other file of aitop."
)
@click.option("--yes", is_flag=True, help="Do not ask before --purge deletes.")
def uninstall(*, purge: bool, yes: bool) -> None:
    """Undo everything aitop ever installed: settings, service, scripts; stops the listener.

    The package itself goes with the tool that installed it (uv, pipx or pip).
    """
    from aitop.listener import lifecycle

    try:
        with files.lock():
            for line in [*units.uninstall(), *units.uninstall(units.GATEWAY)]:
                click.echo(line)
            if lifecycle.running() is not None:
                click.echo(
                    "listener: stopped" if lifecycle.stop(10.0) else "listener: does not stop; end it by hand"
                )
            _undo_settings(())
            installed = record.load()
            installed.service = None
            _remove_scripts(installed)
            for line in written.remove_all():
                click.echo(line)
            record.save(installed)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error
    if purge:
        _purge(ask=not yes)
    else:
        click.echo(f"{paths.home()}: kept, with your history; `aitop uninstall --purge` deletes it")


def _purge(*, ask: bool) -> None:
    configuration = paths.config_file()
    doomed = [
        path
        for path in (paths.home(), paths.runtime_folder(), configuration)
        if path and os.path.lexists(path)
    ]
    if not doomed:
        return
    click.echo("To be deleted:\n" + "\n".join(f"  {path}" for path in doomed))
    if ask and not click.confirm("Delete all of this? The history cannot be made again."):
        click.echo("Nothing was deleted.")
        return
    for path in doomed:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
        click.echo(f"{path}: deleted")
    folder = os.path.dirname(configuration)
    if os.path.basename(folder) == "aitop" and os.path.isdir(folder) and not os.listdir(folder):
        os.rmdir(folder)


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
    from aitop.listener import lifecycle

    try:
        with files.lock():
            if gateway:
                _install_gateway()
                return
            if os.path.exists(paths.in_home(paths.STOPPED)):
                os.unlink(paths.in_home(paths.STOPPED))
            before = lifecycle.running() is not None
            if before:
                lifecycle.stop(10.0)  # the service's own takes over
            for line in units.install():
                click.echo(line)
            if before and not units.status()[0]:
                lifecycle.start_detached()
                click.echo("until then a listener runs as before")
            _after_service(units.path())
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


def _install_gateway() -> None:
    if importlib.util.find_spec("aiohttp") is None:
        raise files.Refused("`aitop gateway` needs its extra: pip install 'aitop-status[gateway]'")
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
        write_scripts(installed, [forwarder.Proof(installed.forwarder, 0.0)])
    record.save(installed)
