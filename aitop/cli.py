"""The command line: a table of commands, each imported only when it is called.

Thin on purpose: a command's module parses its own options, calls one room, prints. Nothing here
runs on a hot path; `__main__` has answered those words before this file is read.
"""

import importlib
from typing import Any

import click
from click.shell_completion import CompletionItem

from aitop import __version__
from aitop.system import command_help

# name → (module:attribute, one line of help). Help is here so that `aitop --help` imports no room.
COMMANDS = {
    "top": ("aitop.top.cli:top", "What is being spent, as a table redrawn in place."),
    "web": ("aitop.web.cli:web", "Pages in a browser: now, a day, the year, a session (an extra)."),
    "setup": (
        "aitop.install.setup:setup",
        "Set up Claude Code, tmux, your prompt and bars, as far as they are installed; --remove undoes it.",
    ),
    "status": (
        "aitop.listener.cli:status",
        "Whether the listener runs, what it reads, and how much it has read.",
    ),
    "start": ("aitop.listener.cli:start", "Start the listener in the background."),
    "stop": ("aitop.listener.cli:stop", "Stop the listener; it stays stopped until `aitop start`."),
    "state": ("aitop.publish.cli:state", "What the listener publishes, as JSON; --schema describes it."),
    "listen": ("aitop.listener.cli:listen", "Run the listener in the foreground."),
    "report": (
        "aitop.reports.cli:report",
        "Totals of the history by day, project, model, tag, commit and more.",
    ),
    "forecast": (
        "aitop.reports.forecast_cli:forecast",
        "What today and this month will cost; --backtest shows past errors.",
    ),
    "plan": ("aitop.worth.plan_cli:plan", "What a subscription gave, and which plan would have been enough."),
    "commit-trailer": (
        "aitop.worth.trailer_cli:commit_trailer",
        "Add to a commit message what its work cost: for a git hook, --install adds it.",
    ),
    "tag": ("aitop.reports.tag_cli:tag", "Give a session a tag that reports and budgets can select by."),
    "run": (
        "aitop.agents.run_cli:run",
        "Run a command and say what it spent; --budget stops it above a sum.",
    ),
    "mcp": ("aitop.agents.mcp_cli:mcp", "Answer an agent's questions about spend and budgets (an extra)."),
    "advise": ("aitop.advice.cli:advise", "What could have cost less, with the evidence and the saving."),
    "quality": (
        "aitop.quality.cli:quality",
        "Output quality: a judge you name scores sampled turns; off until you switch it on.",
    ),
    "energy": ("aitop.energy.cli:energy", "Estimated energy and carbon of the models' output (an extra)."),
    "pull": ("aitop.fleet.pull_cli:pull", "Bring the responses of your other machines over ssh."),
    "export": (
        "aitop.fleet.cli:export",
        "Give the numbers to Prometheus, as a scrape or a textfile (an extra).",
    ),
    "prices": ("aitop.pricing.cli:prices", "The prices that apply; `prices update` refreshes them."),
    "history": ("aitop.history.cli:history", "What the history holds; `history reset` begins a new one."),
    "init": (
        "aitop.install.init:init",
        "Print or install the lines for tmux, a shell, starship, Waybar, SwiftBar …",
    ),
    "install": ("aitop.install.cli:install", "Connect Claude Code: show the change, --write applies it."),
    "uninstall": ("aitop.install.uninstall:uninstall", "Undo everything aitop ever installed."),
    "gateway": (
        "aitop.gateway.cli:gateway",
        "Relay an OpenAI-compatible API or Ollama, and count what passes (an extra).",
    ),
    "service": (
        "aitop.install.service_cli:service",
        "Run the listener, the gateway or the web server as a systemd or launchd service.",
    ),
    "doctor": ("aitop.install.doctor:doctor", "Check every part and say what to do."),
    "config": ("aitop.listener.cli:config", "The configuration in force; --defaults explains every key."),
    "demo": ("aitop.demo.cli:demo", "Play a scripted session in a throw-away home."),
    "completions": ("aitop.install.completions:completions", "Print the completions for bash, zsh or fish."),
    "man": ("aitop.install.completions:man", "Print the manual page (roff)."),
}
# Hot words: answered before click is imported; listed here so that help and completions know them.
HOT = {
    "tmux": "The tmux status segment.",
    "prompt": "The shell-prompt fragment.",
    "waybar": "The Waybar module's JSON.",
    "swiftbar": "The SwiftBar, xbar or Argos menu.",
    "statusline": "Claude Code's own status line, alone or in front of yours.",
    "jump": "Go to the tmux pane of a session: of the one that waits for you, or of SESSION; `back` returns.",
    "guard": "Check budgets and limits for a script: the exit code is the answer. --hook: for Claude Code's hooks.",
    "codex-notify": 'What Codex runs at the end of a turn: notify = ["aitop", "codex-notify"].',
    "hook": "Forward one Claude Code hook event (stdin) to the listener.",
}


GROUPS = ("report", "export", "prices", "history", "service", "quality")


class Lazy(click.Group):
    """A group of commands that are named here and imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*COMMANDS, *HOT, "version"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name][0].partition(":")
            command = getattr(importlib.import_module(module), attribute)
            assert isinstance(command, click.Command)
            return command
        if cmd_name in HOT:
            from aitop.install.completions import hot_command

            return hot_command(cmd_name, HOT[cmd_name])
        return None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an unknown one, at any level, is answered with the nearest."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise command_help.with_suggestion(error, _grouped(ctx)) from None
        except click.ClickException as error:
            from aitop.system import installation

            raise click.ClickException(installation.in_hint(error.message)) from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names from the tables: completing a word must not import every room."""
        texts = {name: text for name, (_, text) in COMMANDS.items()} | HOT | {"version": "Print the version."}
        items = [CompletionItem(n, help=text) for n, text in texts.items() if n.startswith(incomplete)]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])
        with formatter.section("Displays and feeds (fast: print one line and leave)"):
            formatter.write_dl(list(HOT.items()))


def _grouped(ctx: click.Context) -> list[str]:
    """Commands of the groups, as they are typed: `aitop models` is meant as `aitop report models`."""
    paths = []
    for name in GROUPS:
        group = main.get_command(ctx, name)
        if isinstance(group, click.Group):
            paths += [f"{ctx.command_path} {name} {inner}" for inner in group.list_commands(ctx)]
    return paths


click.Context.formatter_class = command_help.Formatter


@click.group(cls=Lazy, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="aitop")
@click.pass_context
def main(ctx: click.Context) -> None:
    """What AI coding costs while it happens.

    Without a command it shows `aitop top` on a terminal. Elsewhere it prints the same numbers as text. Before
    a client has left its first records, it plays a demo. `aitop setup` puts the numbers where you look already.

    \b
    Exit codes: 0 fine, 1 failed, 2 wrong usage. `aitop status`: 3 when no listener runs.
    Files: $AITOP_HOME (default ~/.aitop); configuration: `aitop config --defaults`.
    """  # noqa: D301 - click's own mark
    if ctx.invoked_subcommand is None:
        import sys

        if sys.stdout.isatty():
            from aitop.demo import first

            if first.nothing_yet():
                from aitop.demo.cli import run

                sys.exit(run(None, 1.0, first.NOTICE))
            top = main.get_command(ctx, "top")
            assert top is not None
            ctx.invoke(top)
        else:
            sys.exit(_without_terminal())


def _without_terminal() -> int:
    """The numbers as text; a sample of the demo while there is nothing of the user's to show."""
    from aitop.demo import first

    if first.nothing_yet():
        from aitop.demo.cli import sample

        return sample(first.NOTICE)
    from aitop.top import once

    return once.without_terminal()


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(f"aitop {__version__}")
