"""`aitop completions SHELL` and `aitop man`: made from the commands themselves, so they cannot fall behind.

The hot words are answered without click; the table below names their options for click, for
completion and the manual only.
"""

import re

import click
from click.shell_completion import get_completion_class

from aitop import __version__, paths
from aitop.install.settings import EVENTS

SHELLS = ("bash", "zsh", "fish")
PRESETS = ("cost", "burn", "limits", "full")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completions(shell: str) -> None:
    """Print the completions for bash, zsh or fish.

    \b
    bash: aitop completions bash > ~/.local/share/bash-completion/completions/aitop
    zsh:  aitop completions zsh > a folder of $fpath, as _aitop
    fish: aitop completions fish > ~/.config/fish/completions/aitop.fish
    """  # noqa: D301 - click's own mark
    completer = get_completion_class(shell)
    assert completer is not None
    click.echo(completer(_all(), {}, "aitop", "_AITOP_COMPLETE").source())


def _all() -> click.Group:
    """The whole command line that the running command belongs to."""
    root = click.get_current_context().find_root().command
    assert isinstance(root, click.Group)
    return root


def hot_command(name: str, text: str) -> click.Command:
    """A hot word as click would know it."""
    preset = click.Option(["--preset"], type=click.Choice(PRESETS), help="What to show.")
    if name == "hook":
        event = click.Argument(["event"], required=False, type=click.Choice(list(EVENTS)))
        return click.Command(name, params=[event], help=text)
    if name == "statusline":
        inner = click.Argument(["command"], nargs=-1, type=click.UNPROCESSED)
        return click.Command(name, params=[preset, inner], help=text)
    if name == "jump":
        where = click.Argument(["where"], required=False, metavar="[next|SESSION|back]")
        only = click.Option(["--print"], is_flag=True, help="Print the pane, and do not go there.")
        return click.Command(name, params=[where, only], help=text)
    if name == "guard":
        budget = click.Option(["--budget"], multiple=True, metavar="NAME", help="Only this budget.")
        flags = {
            "--json": "Print what was checked, as JSON.",
            "--quiet": "Print nothing: the exit code is the answer.",
            "--hook": "Answer in the form that Claude Code's hooks expect.",
        }
        options = [click.Option([flag], is_flag=True, help=words) for flag, words in flags.items()]
        return click.Command(name, params=[budget, *options], help=text)
    params: list[click.Parameter] = [
        preset,
        click.Option(["--format"], metavar="TEMPLATE", help="A template of your own."),
        click.Option(["--segment"], metavar="NAME", help="A segment from the configuration."),
        click.Option(["--follow"], is_flag=True, help="Keep running, and print the line at each change."),
    ]
    if name == "prompt":
        shells = click.Choice((*SHELLS, "plain"))
        params.insert(0, click.Option(["--shell"], type=shells, help="Escape the text for this shell."))
    return click.Command(name, params=params, help=text)


@click.command()
def man() -> None:
    """Print the manual page (roff).

    \b
    aitop man > ~/.local/share/man/man1/aitop.1
    """  # noqa: D301
    click.echo(page(_all()), nl=False)


FILES = (
    ("$AITOP_HOME", "everything of aitop's (default ~/.aitop), readable by you alone"),
    (paths.STATE, "the numbers, as JSON, each second"),
    (f"{paths.SEGMENTS}/NAME", "one rendered line for each display"),
    (paths.HISTORY, "every response ever seen; the client deletes its own files after 30 days"),
    (f"{paths.BACKUPS}/", "the settings files as they were before aitop"),
    (paths.LOG, "the listener's log"),
    ("~/.config/aitop/config.toml", "the configuration; see aitop config --defaults"),
)
ENVIRONMENT = (
    ("AITOP_HOME", "where aitop keeps its files"),
    ("AITOP_CONFIG", "the configuration file to read"),
    ("AITOP_TAG", "a name for the sessions of this shell, shown and summed by"),
    ("AITOP_LOG_LEVEL", "debug: the log says more"),
    ("CLAUDE_CONFIG_DIR", "Claude Code's folders, separated by commas"),
    ("NO_COLOR", "no colours"),
)


def page(group: click.Group) -> str:
    """The manual page of a group and all its commands, as man(7) roff."""
    context = click.Context(group, info_name="aitop", **group.context_settings)
    lines = [
        f'.TH AITOP 1 "" "aitop {__version__}" "User Commands"',
        ".ad l",
        ".SH NAME",
        "aitop \\- what AI coding costs while it happens",
        ".SH SYNOPSIS",
        ".B aitop",
        "[\\fICOMMAND\\fR] [\\fIOPTION\\fR]...",
        ".SH DESCRIPTION",
        *_paragraphs(group.help or ""),
        ".SH COMMANDS",
    ]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            lines += _command(command, f"aitop {name}", context)
    for title, rows in (("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT)):
        lines.append(f".SH {title}")
        for term, text in rows:
            lines += [".TP", f"\\fB{_escape(term)}\\fR", _escape(text)]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, path: str, parent: click.Context) -> list[str]:
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    pieces = command.collect_usage_pieces(context)
    lines = [f".SS {_quoted(' '.join([path, *pieces]))}", *_paragraphs(command.help or "")]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and "--help" not in parameter.opts:
            lines += [".TP", f"\\fB{_escape(record[0])}\\fR", _escape(record[1])]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                lines += _command(inner, f"{path} {name}", context)
    return lines


def _paragraphs(text: str) -> list[str]:
    r"""Help text as paragraphs; one that starts with click's \b keeps its lines."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        rows = [row.strip() for row in block.replace("\f", "").splitlines()]
        kept = rows[:1] == ["\b"]
        shown = [_escape(row) for row in rows if row and row != "\b"]
        if not shown:
            continue
        lines.append(".PP")
        if kept:
            lines += [".nf", *shown, ".fi"]
        else:
            lines.append(" ".join(shown))
    return lines[1:] if lines[:1] == [".PP"] else lines


def _escape(text: str) -> str:
    """Plain text for roff: its own characters made harmless, hyphens kept as they are typed."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("\n", " ")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _quoted(text: str) -> str:
    return '"' + _escape(text).replace('"', "\\(dq") + '"'
