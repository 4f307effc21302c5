"""Help and errors of the command line: lines fit the terminal, a mistyped command names the right one.

It knows click and no command of ours; `cli` uses it for every level. What only help or an error needs is loaded there.
"""

import re
from collections.abc import Iterable

import click

MAX_WIDTH = 100


class Formatter(click.HelpFormatter):
    """click's formatter. Paragraphs that keep their lines are folded too where the terminal is narrow."""

    def __init__(self, width: int | None = None, **options: int | None) -> None:
        import shutil

        width = min(shutil.get_terminal_size().columns, MAX_WIDTH)
        super().__init__(width=max(width - 1, 20), max_width=options.get("max_width"))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, min(col_max, self.width // 2), col_spacing)

    def write(self, string: str) -> None:
        super().write("".join(fold(line, self.width) for line in string.splitlines(keepends=True)))


def fold(line: str, width: int) -> str:
    """A line over several where it is too long, each below the first word of it."""
    if len(line.rstrip("\n")) <= width:
        return line
    import textwrap

    margin = re.match(r" *", line)
    indent = min(len(margin.group()) if margin else 0, width // 2)
    wrapped = textwrap.wrap(
        line.strip(), width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join(wrapped) + "\n" * line.endswith("\n")


def with_suggestion(error: click.UsageError, elsewhere: Iterable[str] = ()) -> click.UsageError:
    """The error of an unknown command, option or choice with the nearest one; any other as it is.

    `elsewhere`: commands of other groups, as they are typed.
    """
    if isinstance(error, click.NoSuchOption):
        return _of_option(error)
    if isinstance(error, click.BadParameter):
        return _of_choice(error)
    import difflib

    match = re.fullmatch(r"No such command '(.*?)'\..*", error.message, re.DOTALL)
    if match is None or error.ctx is None or not isinstance(error.ctx.command, click.Group):
        return error
    typed = match.group(1)
    paths = {name: f"{error.ctx.command_path} {name}" for name in error.ctx.command.list_commands(error.ctx)}
    nearest = [paths[name] for name in difflib.get_close_matches(typed, list(paths), n=2, cutoff=0.65)]
    nearest += [path for path in elsewhere if path.rpartition(" ")[2] == typed and path not in nearest]
    if not nearest:
        return error
    shown = " or ".join(f"`{path}`" for path in nearest)
    return click.UsageError(f"No such command '{typed}'. Did you mean {shown}?", error.ctx)


def _of_option(error: click.NoSuchOption) -> click.UsageError:
    """One option, the nearest, instead of a list of all that begin alike."""
    import difflib

    options = [name for parameter in error.ctx.command.params for name in parameter.opts] if error.ctx else []
    nearest = difflib.get_close_matches(error.option_name, options, n=1)
    if not nearest:
        return error
    return click.UsageError(f"No such option '{error.option_name}'. Did you mean `{nearest[0]}`?", error.ctx)


def _of_choice(error: click.BadParameter) -> click.UsageError:
    import difflib

    match = re.match(r"'(.*?)' is not one of (.*)\.", error.message, re.DOTALL)
    nearest = match and difflib.get_close_matches(match.group(1), re.findall(r"'(.*?)'", match.group(2)), n=1)
    if not nearest:
        return error
    return click.UsageError(f"{error.format_message()} Did you mean `{nearest[0]}`?", error.ctx)
