"""Cline and its relatives in editors (`task.py`), and Cline's own program (`cli.py`)."""

from aitop.providers.declaration import Client

EDITORS = ("Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf")
SERVERS = ("~/.vscode-server/data", "~/.vscode-server-insiders/data", "~/.cursor-server/data")


def in_editor(
    name: str, extension: str, editors: tuple[str, ...] = EDITORS, more: tuple[str, ...] = ()
) -> Client:
    """An extension of editors that keeps Cline's tasks: a folder for each, beside others of the extension's."""
    data = (*(f"CONFIG/{editor}" for editor in editors), *(SERVERS if editors is EDITORS else ()))
    places = (*(f"{one}/User/globalStorage/{extension}/tasks" for one in data), *more)
    return Client(
        name, places, r"/tasks/[^/]+/ui_messages\.json$", "aitop.providers.cline.task",
        passes_over=r"/tasks/[^/]+/[^/]+",
    )  # fmt: skip


cline = in_editor("cline", "saoudrizwan.claude-dev", more=("~/.cline/data/tasks",))
roo = in_editor("roo", "rooveterinaryinc.roo-cline")
bob = in_editor("bob", "ibm.bob-code", ("IBM Bob", "Bob-IDE"))
program = Client(
    "cline-cli",
    ("~/.cline/data/sessions",),
    r"\.messages\.json$",
    "aitop.providers.cline.cli",
    moved_by=(("CLINE_SESSION_DATA_DIR", ""), ("CLINE_DATA_DIR", "sessions"), ("CLINE_DIR", "data/sessions")),
)
