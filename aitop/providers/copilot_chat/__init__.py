"""GitHub Copilot Chat in VS Code and its relatives: the database of its traces, as a provider.

The extension writes the database only where the user switched it on: the setting
`github.copilot.chat.otel.dbSpanExporter.enabled`. The journals of its chats hold no token counts.
"""

import os
import sys
from collections.abc import Iterator

from aitop.model.events import Event
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Source

DATABASE = "agent-traces.db"
EDITORS = ("Code", "Code - Insiders", "VSCodium")
SERVERS = (".vscode-server", ".vscode-server-insiders")  # the editor's other half on a remote machine
PLACE = os.path.join("User", "globalStorage", "github.copilot-chat", DATABASE)


class CopilotChat:
    """The provider. It has no state: every answer depends on the arguments and the named files alone."""

    name = "copilot-chat"
    services = ("copilot-chat",)
    environment: tuple[str, ...] = ()

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """The database of each editor. `configured`: databases, or editors' data folders."""
        home = environ.get("HOME") or os.path.expanduser("~")
        config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        if sys.platform == "darwin":
            config = os.path.join(home, "Library", "Application Support")
        own = [os.path.join(config, editor) for editor in EDITORS]
        own += [os.path.join(home, server, "data") for server in SERVERS]
        named = [os.path.abspath(os.path.expanduser(part.strip())) for part in configured or own]
        return [one if one.endswith(".db") else os.path.join(one, PLACE) for one in named]

    def wants(self, path: str) -> bool:
        return os.path.basename(path) == DATABASE

    def identify(self, path: str) -> Source:  # noqa: ARG002
        return Source(None, None)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:  # noqa: ARG002
        """Nothing of it is lines; see `read`."""
        return Parsed([], 0, None, source.session, source.pending)

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        from aitop.providers.copilot_chat import traces

        return traces.read(path, source)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:  # noqa: ARG002
        """None: the socket gets nothing of it."""
        return None

    def telemetry(self, records: list[Record], now: float) -> list[Event]:  # noqa: ARG002
        """The same spans, where they are sent too: they have the same names as in the database."""
        from aitop.providers import genai

        made: list[Event] = []
        for record in genai.outermost(records):
            session = record.text("gen_ai.conversation.id", "copilot_chat.chat_session_id")
            response = genai.response(record, session) if session else None
            if response is not None:
                made.append(response._replace(message_id=response.message_id or response.record_id))
        return made


provider = CopilotChat()
