"""`uninstall`: undo everything that aitop ever wrote outside its home, and stop what runs."""

import os
import shutil
import time

import click

from aitop import paths
from aitop.install import (
    advised,
    connect,
    files,
    git_hook,
    json_text,
    live_tmux,
    mcp,
    record,
    settings,
    written,
)
from aitop.install import service as units
from aitop.system import installation


@click.command()
@click.option(
    "--purge", is_flag=True, help="Also delete the history, the configuration and every other file of aitop."
)
@click.option("--yes", is_flag=True, help="Do not ask before --purge deletes.")
def uninstall(*, purge: bool, yes: bool) -> None:
    """Undo everything aitop ever installed: settings, service, scripts; stops the listener.

    Remove the package itself with the tool that installed it (uv, pipx or pip).
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
        purge_command = installation.command("uninstall", "--purge")
        click.echo(
            f"{paths.home()}: kept, with your history, tokens and remembered folders; `{purge_command}` deletes it"
        )
    click.echo(f"To remove the package itself: {installation.remove()}")


def undo_all() -> list[str]:
    """Services, listener, settings, scripts and every block of lines; under the caller's lock. Raises Refused."""
    from aitop.listener import lifecycle

    lines = [*units.uninstall(), *units.uninstall(units.GATEWAY), *units.uninstall(units.WEB)]
    if lifecycle.running() is not None:
        lines.append(
            "listener: stopped" if lifecycle.stop(10.0) else "listener: does not stop; end it by hand"
        )
    lines += advised.undo_all(time.time())
    lines += connect.undo(())
    lines += _server()
    lines += git_hook.remove_all()
    installed = record.load()
    installed.service = None
    record.save(installed)
    return [
        *lines,
        *connect.remove_scripts(),
        *(line for host in written.hosts() for line in remove_lines(host)),
    ]


def _server() -> list[str]:
    """The MCP server out of Claude Code; what is in the way is said, and costs nothing else."""
    try:
        line = mcp.remove()
    except files.Refused as error:
        return [str(error)]
    return [line] if line else []


def parts_there() -> list[str]:
    """Every part that is set up, by the name that `setup --only` takes."""
    installed = record.load()
    names = []
    if installed.settings:
        names.append("claude-code")
    if _feeds_statusline(installed):
        names.append("statusline")
    names += written.hosts()
    if units.is_installed():
        names.append("service")
    return names


def remove_parts(names: list[str]) -> list[str]:
    """Take single parts out; under the caller's lock. Raises files.Refused."""
    lines: list[str] = []
    for name in names:
        if name == "claude-code":
            lines += connect.undo(())
        elif name == "statusline":
            lines += connect.undo_statusline()
        elif name == "service":
            lines += units.uninstall()
        else:
            lines += remove_lines(name)
    return lines


def remove_lines(host: str) -> list[str]:
    """A host's lines out of its files, and out of the tmux server that runs."""
    lines = written.remove_host(host)
    if host == "tmux" and live_tmux.shows():
        live_tmux.hide()
    return lines


def _feeds_statusline(installed: record.Installed) -> bool:
    scripts = record.hook_scripts(installed)
    for path in installed.settings:
        try:
            data = json_text.parse(files.text_of(path, files.read(path)))
        except (files.Refused, json_text.NotJson):
            continue
        line = data.get("statusLine") if isinstance(data, dict) else None
        if isinstance(line, dict) and settings.wrapped(line.get("command"), scripts) is not None:
            return True
    return False


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
