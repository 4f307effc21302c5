"""`aitop init NAME`: prints the lines for a host; `--write` puts them where they belong, `--remove` takes them out."""

import click

from aitop import paths
from aitop.install import blocks, files, survey, written
from aitop.install.snippets import FILES, SHELLS, THEMES, snippets
from aitop.system import installation


@click.command()
@click.argument("host", type=click.Choice(tuple(FILES)), metavar="NAME")
@click.option(
    "--shell",
    type=click.Choice(SHELLS),
    help="With starship and oh-my-posh: the shell that gets the hook. Default: that of $SHELL.",
)
@click.option(
    "--theme", type=click.Choice(THEMES), help="With tmux: pills and marks in the colours of a theme."
)
@click.option("--write", is_flag=True, help="Put the lines where they belong, in a marked block.")
@click.option("--remove", is_flag=True, help="Take out what --write put in.")
@click.option("--folder", metavar="DIR", help="With swiftbar and argos: the plugin folder.")
def init(
    host: str, shell: str | None, theme: str | None, folder: str | None, *, write: bool, remove: bool
) -> None:
    """Print the lines for a host; --write installs them, --remove takes them out.

    \b
    NAME: tmux bash zsh fish powerlevel10k starship oh-my-posh waybar swiftbar swiftbar-stream argos
    claude-code polybar i3blocks i3status-rust sketchybar zellij wezterm wezterm-jump
    kitty-jump iterm2-jump

    --write may run any number of times. It keeps the first original under $AITOP_HOME/backups and
    refuses a file that it cannot parse. A shell may also load the lines at each start:
    eval "$(aitop init bash)".
    """  # noqa: D301 - click's own mark
    if shell is not None and host not in ("starship", "oh-my-posh"):
        raise click.UsageError("--shell is for starship and oh-my-posh: aitop init starship --shell zsh")
    if theme is not None and host != "tmux":
        raise click.UsageError("--theme is for tmux: aitop init tmux --theme catppuccin")
    if write and remove:
        raise click.UsageError("--write and --remove exclude each other")
    shell = shell or survey.login_shell()
    try:
        parts = snippets(host, shell, installation.front(), theme or "plain")
    except OSError as error:
        raise click.ClickException(f"{error}; install aitop-status again") from error
    if not (write or remove):
        click.echo("\n".join(parts), nl=False)
        return
    try:
        with files.lock():
            for line in _write(host, shell, parts, folder, remove=remove):
                click.echo(line)
    except (files.Refused, blocks.Unclear) as error:
        raise click.ClickException(str(error)) from error


def _write(host: str, shell: str, parts: list[str], folder: str | None, *, remove: bool) -> list[str]:
    """Put the lines in or take them out; says what was done."""
    if host == "claude-code":
        return written.client(parts[0], undo=remove)
    if remove:
        return written.remove(host, shell, parts, folder)
    changes = written.plan(host, shell, parts, folder)
    with files.all_or_none([*(change.path for change in changes), paths.in_home(written.RECORD)]):
        lines = [written.put(change) for change in changes]
    lines += [change.place.note for change in changes if change.place.note]
    return [*lines, f"`{installation.command('init', host, '--remove')}` takes it out again."]
