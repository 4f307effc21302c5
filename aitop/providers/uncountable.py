"""Clients that keep no counts on this machine: where they are found, why they are not counted, and which way works.

Nothing is guessed for them, neither from the length of texts nor from a gauge of the context. Only names and words:
must not look at the disk.
"""

NO_COUNTS = "it keeps no token counts on this machine"
GATEWAY = "; calls with a key of yours: `aitop gateway`"
# client → (where it is found, as `places.expand` takes it, why it is not counted)
UNCOUNTABLE = {
    "cursor": (
        ("CONFIG/Cursor/User/globalStorage/state.vscdb", "~/.cursor/chats"),
        NO_COUNTS + ", only a gauge of the context; its maker's account bills it" + GATEWAY,
    ),
    "antigravity": (
        ("~/.gemini/antigravity", "~/.gemini/antigravity-cli", "CONFIG/Antigravity"),
        "its counts end with the program" + GATEWAY,
    ),
    "kiro-older": (
        ("DATA/kiro-cli/data.sqlite3", "CONFIG/Kiro/User/globalStorage/kiro.kiroagent"),
        "Kiro's older stores keep no token counts; newer sessions are counted, in credits",
    ),
    "vibe-3": (
        ("~/.vibe/logs/session/unified",),
        "sessions of Mistral Vibe 3 are a journal of its own, which is not read; those of version 2 are counted",
    ),
    "windsurf": (
        ("CONFIG/Windsurf/User/globalStorage/state.vscdb", "~/.codeium/windsurf"),
        NO_COUNTS + "; its maker's account bills it",
    ),
    "aider": (("~/.aider",), "it writes its counts as prose only" + GATEWAY),
}  # fmt: skip
