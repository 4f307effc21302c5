"""`aitop gateway`: parse, read the configuration, run the relay."""

import sys

import click

from aitop import config
from aitop.gateway.upstreams import DEFAULTS, OLLAMA, OPENAI, Upstreams, upstream
from aitop.system import installation


@click.command()
@click.option("--upstream", "url", metavar="URL", help=f"The API behind it. [default: {DEFAULTS[OPENAI]}]")
@click.option("--ollama", is_flag=True, help=f"Ollama behind it: {DEFAULTS[OLLAMA]}, or the --upstream.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on. [default: gateway.port, 4330]"
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on. Any other than 127.0.0.1 lets other machines in.",
)
@click.option(
    "--token/--no-token",
    default=None,
    help="Refuse requests without the printed token. [default: only where the system cannot say which user sent them]",
)
def gateway(*, token: bool | None, url: str | None, ollama: bool, port: int | None, host: str) -> None:
    """Relay an OpenAI-compatible API or Ollama, and count what passes.

    It changes no byte, adds a millisecond, and keeps no content, header or key: each finished request
    leaves a line of numbers under $AITOP_HOME/gateway, which the listener reads whenever it runs.
    Point a client at it; the key stays where it is:

    \b
      aitop gateway                       OPENAI_BASE_URL=http://127.0.0.1:4330/v1
      aitop gateway --ollama              OLLAMA_HOST=127.0.0.1:4330
      aitop gateway --upstream https://openrouter.ai/api

    Several at once, by the first part of the path: OPENAI_BASE_URL=http://127.0.0.1:4330/openai/v1

    \b
      [gateway.upstreams]                 # in the configuration
      openai = "https://api.openai.com"
      ollama = "http://127.0.0.1:11434"   # OLLAMA_HOST=http://127.0.0.1:4330/ollama

    A stream reports its usage only when the client asks: stream_options={"include_usage": true} for chat
    completions. Without it the request is counted with unknown tokens, as "no usage: MODEL".

    It serves the user who runs it: no other user of the machine, no web page. With --host, and where the
    system cannot tell users apart, the address that it prints holds a token.

    Do not use it for Claude Code or Codex: aitop reads their own files, which hold more.
    """  # noqa: D301 - click's own mark
    try:
        from aitop.gateway import run
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"`aitop gateway` needs {error.name}: {installation.add_extra('gateway')}"
        ) from error
    try:
        settings = config.load()
        upstreams = _upstreams(settings, url, ollama=ollama)
    except (config.ConfigError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(run.run(upstreams, host, int(settings["gateway.port"]) if port is None else port, token))


def _upstreams(settings: config.Config, url: str | None, *, ollama: bool) -> Upstreams:
    """The upstreams of the configuration by name; for all other paths the one asked for, or the default."""
    named = {name: upstream(base, name) for name, base in settings.upstreams.items()}
    if url is None and not ollama and named:
        return Upstreams(named, None)
    kind = OLLAMA if ollama else None
    return Upstreams(named, upstream(url or DEFAULTS[kind or OPENAI], kind))
