"""`aitop run -- COMMAND`: run a command and say what exactly its processes spent, with a budget if wanted.

Thin: options, output, exit codes. `runner.py` runs the command, `run_result.py` makes the result.
"""

import json
import sys

import click

from aitop.agents import run_result
from aitop.listener import lifecycle
from aitop.system import atomic_file, installation


@click.command(context_settings={"allow_interspersed_args": False})
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), metavar="USD", help="Stop above this sum."
)
@click.option(
    "--no-stop", is_flag=True, help="Let the command go on above the budget; the exit code tells it."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one line of JSON, the last on stdout."
)
@click.option("--output", type=click.Path(dir_okay=False), help="Write the result as JSON to a file.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    budget: float | None, no_stop: bool, as_json: bool, output: str | None, command: tuple[str, ...]
) -> None:
    """Run a command and say what its processes spent: an agent in CI, a script, a nightly job.

    Counts the sessions of the command's own processes, from its start to its end. Two commands at once stay apart,
    also in one folder. The result goes to stderr, with --json to stdout.

    \b
    aitop run --budget 2 -- claude -p "fix the failing test"
    aitop run --json -- ./nightly.sh | tail -n 1 | jq .spent_usd

    Exit codes: that of the command; 11 when it spent more than its budget; 126 and 127 when it could not be started.
    A budget needs the listener and starts it.
    """  # noqa: D301 - click's own mark
    try:
        from aitop.agents.runner import StartError, run_command
    except ImportError as error:
        raise click.ClickException(
            f"`aitop run` needs {error.name}: {installation.add_extra('top')}"
        ) from error
    if budget is not None and lifecycle.running() is None:
        try:
            lifecycle.start_detached()
        except lifecycle.LifeError as error:
            raise click.ClickException(str(error)) from error
    try:
        result, shown_in = run_command(command, budget, stop=not no_stop)
    except StartError as error:
        click.echo(f"aitop run: {error}", err=True)
        sys.exit(error.code)
    text = json.dumps(run_result.as_json(result))
    if output:
        try:
            atomic_file.replace(output, text.encode() + b"\n", mode=0o644)
        except OSError as error:
            click.echo(f"aitop run: {output}: {error.strerror}", err=True)
    if as_json:
        click.echo(text)
    else:
        click.echo(f"aitop run: {run_result.line(result, shown_in)}", err=True)
    sys.exit(run_result.OVER if result.over else result.exit_code)
