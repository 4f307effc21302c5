"""`uninstall`: undo everything that aitop ever wrote outside its home, and stop what runs."""

import os
import shutil

import click

from aitop import paths
from aitop.install import connect, files, record, written
from aitop.install import service as units


@click.command()
@click.option(
    "--purge", is_flag=True, help="Also delete the history, the configuration and every other file of aitop."
)
@click.option("--yes", is_flag=True, help="Do not ask before --purge deletes.")
def uninstall(*, purge: bool, yes: bool) -> None:
    """Undo everything aitop ever installed: settings, service, scripts; stops the listener.

    The package itself goes with the tool that installed it (uv, pipx or pip).
    """
    try:
        with files.lock():
            for line in undo_all():
                click.echo(line)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error
    if purge:
        _purge(ask=not yes)
    else:
        click.echo(f"{paths.home()}: kept, with your history; `aitop uninstall --purge` deletes it")


def undo_all() -> list[str]:
    """Services, listener, settings, scripts and every block of lines; under the caller's lock. Raises Refused."""
    from aitop.listener import lifecycle

    lines = [*units.uninstall(), *units.uninstall(units.GATEWAY)]
    if lifecycle.running() is not None:
        lines.append(
            "listener: stopped" if lifecycle.stop(10.0) else "listener: does not stop; end it by hand"
        )
    lines += connect.undo(())
    installed = record.load()
    installed.service = None
    record.save(installed)
    return [*lines, *connect.remove_scripts(), *written.remove_all()]


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
