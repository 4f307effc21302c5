"""A recorded sample of each client that has no records' builder of its own: its files as the client writes them.

The shapes are those of real runs against a scripted API where the client could be run, else of its published schema;
texts and numbers are ours. `SAMPLES` names for each client its files, step by step, and what they come to.
"""

import json
import os
import sqlite3
from typing import NamedTuple

from support.lines import START, stamp

MODEL = "gpt-5.1-codex"
MS = int(START * 1000)


class Total(NamedTuple):
    """Golden totals of a sample: requests, input without the cache, read from it, written to it, output."""

    requests: int
    fresh: int
    read: int
    written: int
    output: int


class Lines(NamedTuple):
    """A file of lines."""

    path: str
    records: list


class Documents(NamedTuple):
    """A document that is replaced at each step; `beside` are files that do not change."""

    path: str
    versions: list
    beside: dict = {}  # noqa: RUF012 - never changed


class Store(NamedTuple):
    """A database; each step is some statements."""

    path: str
    schema: str
    steps: list


def write_document(path, value):
    """As clients do: a new file in the place of the old one."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)


class Writing:
    """A sample on its way to the disk, below `home`."""

    def __init__(self, sample, home):
        self.sample, self.path = sample, os.path.join(str(home), sample.path)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.db = None
        if isinstance(sample, Store):
            self.db = sqlite3.connect(self.path, isolation_level=None)
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = OFF")  # hundreds of them are made: no waiting for the disk
            self.db.executescript(sample.schema)
        for name, value in getattr(sample, "beside", {}).items():
            path = os.path.join(str(home), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(value if isinstance(value, str) else json.dumps(value))

    def steps(self, unaligned=97):
        """Write it step by step; lines in steps that end anywhere."""
        sample = self.sample
        if isinstance(sample, Lines):
            data = b"".join(json.dumps(one).encode() + b"\n" for one in sample.records)
            for end in range(0, len(data), unaligned):
                with open(self.path, "ab") as file:
                    file.write(data[end : end + unaligned])
                yield
        elif isinstance(sample, Documents):
            for version in sample.versions:
                write_document(self.path, version)
                yield
        else:
            for statements in sample.steps:
                for sql, values in statements:
                    self.db.execute(sql, values)
                yield

    def all(self):
        for _ in self.steps(1 << 20):
            pass

    def close(self):
        if self.db is not None:
            self.db.close()


# -- pi ---------------------------------------------------------

PI_SESSION = "01a22592-abea-722d-828d-ec3536626904"


def pi_head(session=PI_SESSION, at=0.0, **more):
    return {
        "type": "session",
        "version": 3,
        "id": session,
        "timestamp": stamp(START + at),
        "cwd": "/work/shop",
        **more,
    }


def pi_message(number, at, **message):
    return {"type": "message", "id": f"a596f{number:03d}", "parentId": f"a596f{number - 1:03d}",
            "timestamp": stamp(START + at + 0.5), "message": {**message, "timestamp": MS + int(at * 1000)}}  # fmt: skip


def pi_answer(number, at, fresh=3000, output=50, read=6000, written=0, why="stop", **more):
    content = [{"type": "toolCall", "id": f"call_{number}", "name": "bash", "arguments": {"command": "ls"}}]
    usage = {"input": fresh, "output": output, "cacheRead": read, "cacheWrite": written,
             "totalTokens": fresh + output + read + written, "cost": {"input": 0.1, "total": 0.25}}  # fmt: skip
    return pi_message(
        number, at, role="assistant", api="openai-completions", provider="s", model=MODEL, usage=usage, stopReason=why,
        content=content if why == "toolUse" else [{"type": "text", "text": "Hi."}], responseId=f"chat-{number}",
        **more,
    )  # fmt: skip


def pi_prompt(number, at):
    return pi_message(number, at, role="user", content=[{"type": "text", "text": "say hello"}])


def pi_result(number, at):
    return pi_message(number, at, role="toolResult", toolCallId=f"call_{number - 1}", toolName="bash", isError=False,
                      content=[{"type": "text", "text": "hi"}])  # fmt: skip


PI = [
    pi_head(),
    {"type": "model_change", "id": "be5b11e1", "parentId": None, "timestamp": stamp(START), "provider": "s",
     "modelId": MODEL},
    pi_prompt(1, 1), pi_answer(2, 2, why="toolUse"), pi_result(3, 3), pi_answer(4, 4, 600, 70, 8900, 20),
]  # fmt: skip

# -- Cline and its relatives ------------------------------------

TASK = "1795926803906"


def cline_request(number, **request):
    return {"ts": MS + number * 1000, "type": "say", "say": "api_req_started",
            "text": json.dumps({"request": "…", **request}),
            "modelInfo": {"providerId": "anthropic", "modelId": "claude-sonnet-4-6", "mode": "act"}}  # fmt: skip


def cline_says(number, kind, what, text="x"):
    return {"ts": MS + number * 1000, "type": kind, kind: what, "text": text}


CLINE = [
    cline_says(0, "say", "text"),
    cline_request(1, tokensIn=300, tokensOut=40, cacheWrites=2000, cacheReads=6000, cost=0.25),
    cline_says(2, "ask", "tool", '{"tool":"readFile","path":"a"}'),
    cline_request(3, tokensIn=500, tokensOut=60, cacheWrites=0, cacheReads=8000, cost=0.125),
    cline_says(4, "ask", "completion_result"),
]


def roo_request(number, protocol, **request):
    one = cline_request(number, apiProtocol=protocol, **request)
    del one["modelInfo"]
    return one


HISTORY = json.dumps([
    {"role": "user", "content": [{"type": "text", "text": "<model>anthropic/claude-sonnet-4-6</model>\n"
     "# Current Workspace Directory (/work/shop) Files"}], "ts": MS},
])  # fmt: skip
ROO_AT = 1_780_000_000_000 // 1000 - int(START)  # a moment after the change of what `tokensIn` holds
ROO = [
    roo_request(
        ROO_AT, "anthropic", tokensIn=8300, tokensOut=40, cacheWrites=2000, cacheReads=6000, cost=0.25
    ),
    roo_request(
        ROO_AT + 9, "openai", tokensIn=8500, tokensOut=60, cacheWrites=0, cacheReads=8000, cost=0.125
    ),
]
BOB = [roo_request(1, "openai", tokensIn=700, tokensOut=60, cacheWrites=0, cacheReads=600, cost=0.125)]


def grown_list(messages):
    """A document of messages as it grows."""
    return [messages[: end + 1] for end in range(len(messages))]


CLINE_SESSION = "1795926803906_y3e6o"


def cline_message(number, whole=0, output=0, read=0, written=0, **more):
    metrics = {
        "inputTokens": whole,
        "outputTokens": output,
        "cacheReadTokens": read,
        "cacheWriteTokens": written,
    }
    return {"id": f"msg_{number}", "role": "assistant", "ts": MS + number * 1000, "metrics": metrics,
            "modelInfo": {"id": MODEL, "provider": "openai-compatible"},
            "content": [{"type": "text", "text": "Hi."}], **more}  # fmt: skip


CLINE_CLI = [
    {"id": "u1", "role": "user", "ts": MS, "content": [{"type": "text", "text": "say hello"}]},
    cline_message(1, 9000, 50, 6000, content=[{"type": "tool_use", "id": "call_1", "name": "run_commands", "input": {}}]),  # noqa: E501
    {"id": "u2", "role": "user", "ts": MS + 2000, "content": [{"type": "tool_result", "tool_use_id": "call_1"}]},
    cline_message(3, 9500, 70, 6900, 2000),
]  # fmt: skip
CLINE_OWN = {
    "version": 1, "session_id": CLINE_SESSION, "pid": 27675, "started_at": stamp(START), "model": MODEL, "cwd": "/work/shop",  # noqa: E501
    "metadata": {"title": "hello", "usage": {"inputTokens": 18500, "outputTokens": 120, "cacheReadTokens": 12_900},
                 "aggregateUsage": {"inputTokens": 19000, "outputTokens": 127, "cacheReadTokens": 13_000}},
}  # fmt: skip

# -- Kimi -------------------------------------------------------

KIMI_SESSION = "session_06f4c905-4204-443e-98cc-4cd7662b831f"


def kimi(name, at=0.0, /, **more):
    return {"type": name, "agentId": "main", **more, "time": MS + int(at * 1000)}


def kimi_request(at, model=MODEL, kind="loop"):
    return kimi(
        "llm.request", at, kind=kind, provider="openai", model=model, modelAlias="mine", turnStep="0.1"
    )


def kimi_usage(at, other=3000, output=50, read=6000, created=0, scope="turn"):
    used = {"inputOther": other, "output": output, "inputCacheRead": read, "inputCacheCreation": created}
    return kimi("usage.record", at, model="mine", usage=used, usageScope=scope)


def kimi_event(at, kind, /, **event):
    return kimi("context.append_loop_event", at, event={"type": kind, "turnId": "0", "step": 1, **event})


KIMI = [
    {"type": "metadata", "protocol_version": "1.5", "created_at": MS},
    kimi("turn.prompt", 1, input=[{"type": "text", "text": "say hello"}], turnId=0),
    kimi_request(1.5), kimi_usage(2), kimi_event(2.1, "tool.call", toolCallId="call_1", name="Bash", args={"command": "ls"}),  # noqa: E501
    kimi_event(2.2, "tool.result", toolCallId="call_1", result={"output": "hi", "durationMs": 54}),
    kimi_event(2.3, "step.end", finishReason="tool_use", usage={"inputOther": 3000, "output": 50, "inputCacheRead": 6000},  # noqa: E501
               llmFirstTokenLatencyMs=80, llmStreamDurationMs=40),
    kimi_request(3), kimi_usage(4, 600, 70, 8900, 20), kimi("turn.ended", 4.2, turnId=0, reason="completed"),
    kimi_request(5, kind="compaction"), kimi_usage(6, 900, 30, 0, scope="session"),
]  # fmt: skip

# -- Grok Build -------------------------------------------------

GROK_SESSION = "01a22595-bdb5-7ec0-be4e-6fc58dcd45cf"


def grok(at, **update):
    meta = {"eventId": f"{GROK_SESSION}-{at}", "agentTimestampMs": MS + int(at * 1000), "promptId": "p1"}
    return {"timestamp": int(START + at), "method": "session/update",
            "params": {"sessionId": GROK_SESSION, "update": update, "_meta": meta}}  # fmt: skip


def grok_turn(
    at, prompt="4bde8692-1d86-429e-bb7c-7b866df72e50", calls=2, whole=18_500, cached=14_900, output=120
):
    used = {"inputTokens": whole, "outputTokens": output, "totalTokens": whole + output, "cachedReadTokens": cached,
            "cacheCreationTokens": 0, "reasoningTokens": 50, "modelCalls": calls, "apiDurationMs": 7}  # fmt: skip
    return grok(at, sessionUpdate="turn_completed", prompt_id=prompt, stop_reason="end_turn",
                usage={**used, "modelUsage": {MODEL: used}, "numTurns": 2})  # fmt: skip


GROK = [
    grok(1, sessionUpdate="user_message_chunk", content={"type": "text", "text": "say hello"}),
    grok(2, sessionUpdate="tool_call", toolCallId="call_1", title="run_terminal_command", rawInput={"command": "ls"}),
    grok(3, sessionUpdate="tool_call_update", toolCallId="call_1", status="completed", title="ran a command"),
    grok_turn(4), grok_turn(5),
    grok_turn(9, "5bde8692-1d86-429e-bb7c-7b866df72e50", 1, 1000, 0, 30),
]  # fmt: skip

# -- stores with running sums -----------------------------------

HERMES_TABLES = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, model TEXT, system_prompt TEXT,
  parent_session_id TEXT, started_at REAL NOT NULL, ended_at REAL, end_reason TEXT, input_tokens INTEGER DEFAULT 0,
  output_tokens INTEGER DEFAULT 0, cache_read_tokens INTEGER DEFAULT 0, cache_write_tokens INTEGER DEFAULT 0,
  reasoning_tokens INTEGER DEFAULT 0, cwd TEXT, git_branch TEXT, estimated_cost_usd REAL, actual_cost_usd REAL,
  cost_status TEXT, cost_source TEXT, title TEXT, api_call_count INTEGER DEFAULT 0);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT,
  timestamp REAL NOT NULL);
"""
HERMES_BY_MODEL = """
CREATE TABLE session_model_usage (session_id TEXT NOT NULL, model TEXT NOT NULL, billing_provider TEXT NOT NULL
  DEFAULT '', billing_base_url TEXT NOT NULL DEFAULT '', billing_mode TEXT NOT NULL DEFAULT '', task TEXT NOT NULL
  DEFAULT '', api_call_count INTEGER NOT NULL DEFAULT 0, input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens
  INTEGER NOT NULL DEFAULT 0, cache_read_tokens INTEGER NOT NULL DEFAULT 0, cache_write_tokens INTEGER NOT NULL
  DEFAULT 0, reasoning_tokens INTEGER NOT NULL DEFAULT 0, estimated_cost_usd REAL NOT NULL DEFAULT 0,
  actual_cost_usd REAL NOT NULL DEFAULT 0, cost_status TEXT, cost_source TEXT, first_seen REAL, last_seen REAL,
  PRIMARY KEY (session_id, model, billing_provider, billing_base_url, billing_mode, task));
"""
HERMES_SESSION = "20261129_043151_c58e5c"


def hermes_session(name=HERMES_SESSION, source="cli", parent=None, at=0.0, cwd="/work/shop"):
    return (
        (
            "INSERT INTO sessions (id, source, model, parent_session_id, started_at, cwd, cost_source, title, system_prompt)"  # noqa: E501
            " VALUES (?, ?, ?, ?, ?, ?, 'none', 'a title', 'a prompt')"
        ),
        (name, source, MODEL, parent, START + at, cwd),
    )


def hermes_sums(calls, fresh, output, read, name=HERMES_SESSION):
    """The session's own sums, set anew as a gateway does, or moved on."""
    return (
        (
            "UPDATE sessions SET api_call_count = ?, input_tokens = ?, output_tokens = ?, cache_read_tokens = ?,"
            " estimated_cost_usd = 0 WHERE id = ?"
        ),
        (calls, fresh, output, read, name),
    )


def hermes_used(calls, fresh, output, read, at, name=HERMES_SESSION, model=MODEL, task=""):
    return (
        (
            "INSERT OR REPLACE INTO session_model_usage (session_id, model, task, api_call_count, input_tokens,"
            " output_tokens, cache_read_tokens, cost_source, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, 'none', ?)"
        ),
        (name, model, task, calls, fresh, output, read, START + at),
    )


HERMES_STEPS = [
    [hermes_session()],
    [hermes_sums(1, 3000, 50, 6000), hermes_used(1, 3000, 50, 6000, 2)],
    [hermes_sums(2, 3600, 120, 14_900), hermes_used(2, 3600, 120, 14_900, 4)],
    [hermes_used(1, 77, 7, 0, 5, task="title")],
    [hermes_session("child", "subagent", HERMES_SESSION, 6), hermes_sums(1, 500, 9, 0, "child"),
     hermes_used(1, 500, 9, 0, 7, "child")],
]  # fmt: skip

GOOSE_TABLES = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, name TEXT, working_dir TEXT NOT NULL, parent_session_id TEXT,
  provider_name TEXT, input_tokens INTEGER, output_tokens INTEGER, accumulated_input_tokens INTEGER);
CREATE TABLE usage_ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, created_timestamp INTEGER
  NOT NULL, model TEXT, input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER, cache_read_tokens INTEGER,
  cache_write_tokens INTEGER, cost REAL, cost_source TEXT, is_compaction INTEGER DEFAULT 0);
"""


def goose_session(name="20260921_1", parent=None):
    """`input_tokens` is the last turn's, and must not be counted."""
    sql = "INSERT INTO sessions VALUES (?, 'a name', '/work/shop', ?, 'openai', 9500, 70, 18500)"
    return sql, (name, parent)


def goose_row(
    at, whole, output, read, written=0, session="20260921_1", compaction=0, cost=0.25, source="provider"
):
    sql = ("INSERT INTO usage_ledger (session_id, created_timestamp, model, input_tokens, output_tokens, total_tokens,"
           " cache_read_tokens, cache_write_tokens, cost, cost_source, is_compaction) VALUES (?,?,?,?,?,?,?,?,?,?,?)")  # fmt: skip  # noqa: E501
    return sql, (
        session,
        int(START + at),
        MODEL,
        whole,
        output,
        whole + output,
        read,
        written,
        cost,
        source,
        compaction,
    )


GOOSE_STEPS = [
    [goose_session(), goose_row(1, 9000, 50, 6000)],
    [goose_row(2, 9500, 70, 8900, 100)],
    [goose_session("20260921_2", "20260921_1"), goose_row(3, 500, 9, 0, session="20260921_2")],
    [goose_row(4, 4000, 300, 0, compaction=1)],
]

CRUSH_TABLES = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, parent_session_id TEXT, title TEXT NOT NULL, message_count INTEGER,
  prompt_tokens INTEGER NOT NULL DEFAULT 0, completion_tokens INTEGER NOT NULL DEFAULT 0, cost REAL NOT NULL DEFAULT 0,
  updated_at INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, role TEXT NOT NULL, parts TEXT NOT NULL DEFAULT
  '[]', model TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, provider TEXT);
"""


def crush_session(prompt, completion, cost, at, name="s1", parent=None):
    return (
        "INSERT OR REPLACE INTO sessions VALUES (?, ?, 'a title', 1, ?, ?, ?, ?, ?)",
        (name, parent, prompt, completion, cost, int(START + at), int(START)),
    )


def crush_answer(number, at, name="s1"):
    return ("INSERT INTO messages VALUES (?, ?, 'assistant', '[]', ?, ?, ?, 'openai')",
            (f"m{number}", name, MODEL, int(START + at), int(START + at)))  # fmt: skip


CRUSH_STEPS = [
    [crush_session(9000, 50, 0.25, 1), crush_answer(1, 1)],
    [crush_session(18_500, 120, 0.5, 2), crush_answer(2, 2)],
    [crush_session(500, 9, 0.125, 3, "child", "s1"), crush_session(18_500, 120, 0.625, 3)],
]

# -- documents with running sums --------------------------------

DROID_SESSION = "7f6c0b1e-5a6e-4c0b-9e57-000000000001"


def droid(fresh, output, read, created=0, thinking=0, credits_=0):
    used = {"inputTokens": fresh, "outputTokens": output, "cacheCreationTokens": created, "cacheReadTokens": read,
            "thinkingTokens": thinking, "factoryCredits": credits_}  # fmt: skip
    twice = {name: 2 * number for name, number in used.items()}
    return {"model": f"custom:{MODEL}-[Mine]-0", "reasoningEffort": "high", "tokenUsage": used,
            "inclusiveTokenUsage": twice}  # fmt: skip


DROID_START = (
    json.dumps({"type": "session_start", "id": DROID_SESSION, "title": "a title", "cwd": "/work/shop"}) + "\n"
)


def vibe(prompt, completion, cost, ended=None, session="abc123de-0000-4000-8000-000000000001"):
    return {
        "session_id": session, "start_time": stamp(START), "end_time": ended, "git_branch": "trunk",
        "environment": {"working_directory": "/work/shop"}, "title": "a title",
        "stats": {"steps": 2, "session_prompt_tokens": prompt, "session_completion_tokens": completion,
                  "session_cost": cost, "context_tokens": prompt, "last_turn_prompt_tokens": 9500},
        "config": {"active_model": "mine", "models": [{"name": "devstral-medium-2512", "alias": "mine", "input_price": 1}]},  # noqa: E501
    }  # fmt: skip


KIRO_SESSION = "1c0ffee1-2222-4333-8444-555555555555"


def kiro_turn(number, at, metered, given=0, output=0, **more):
    """A turn; `metered`: the credits of each of its requests."""
    return {"loop_id": {"agent_id": {"name": "kiro_default", "parent_id": None}, "rand": number}, "model": "auto",
            "end_timestamp": stamp(START + at).replace("Z", "123456Z"), "total_request_count": len(metered),
            "input_token_count": given, "output_token_count": output, "cache_read_input_token_count": 0,
            "cache_write_input_token_count": 0, "context_usage_percentage": 5.2,
            "metering_usage": [{"value": one, "unit": "credit", "unitPlural": "credits"} for one in metered],
            **more}  # fmt: skip


def kiro(*turns):
    return {"session_id": KIRO_SESSION, "cwd": "/work/shop", "title": "a title", "created_at": stamp(START),
            "session_state": {"rts_model_state": {"model_info": {"model_id": "claude-sonnet-4.5"}},
                              "conversation_metadata": {"user_turn_metadatas": list(turns)}}}  # fmt: skip


KIRO = [kiro_turn(11, 5, [0.25, 0.5]), kiro_turn(12, 9, [1.0], 900, 40)]


def kiro_summary(at, turn, *spent):
    """A line of the editor's log."""
    summaries = [{"unit": "credit", "unitPlural": "credits", "usage": one, "usedTools": []} for one in spent]
    return {"id": f"{turn}-us", "timestamp": stamp(START + at),
            "payload": {"type": "usage_summary", "promptTurnSummaries": summaries, "executionId": turn}}  # fmt: skip


AMP_THREAD = "T-1b2c3d4e-0000-4000-8000-000000000001"


def amp(events, messages=()):
    ledger = [
        {"id": f"event-{at}", "timestamp": stamp(START + at), "model": MODEL, "credits": credits_,
         "tokens": {"input": fresh, "output": output}, "operationType": "inference", "toMessageId": at}
        for at, fresh, output, credits_ in events
    ]  # fmt: skip
    return {"v": 7, "id": AMP_THREAD, "created": MS, "title": "a title", "messages": list(messages),
            "usageLedger": {"events": ledger},
            "env": {"initial": {"trees": [{"displayName": "shop", "uri": "file:///work/shop"}]}}}  # fmt: skip


def amp_message(number, read=0, created=0, fresh=0, output=0):
    usage = {"model": MODEL, "inputTokens": fresh, "outputTokens": output, "cacheReadInputTokens": read,
             "cacheCreationInputTokens": created, "timestamp": stamp(START + number)}  # fmt: skip
    return {
        "role": "assistant",
        "messageId": number,
        "content": [{"type": "text", "text": "Hi."}],
        "usage": usage,
    }


AMP = [
    amp([(1, 3000, 50, 25)], [amp_message(1, 6000, 10, 99, 99)]),
    amp([(1, 3000, 50, 25), (2, 600, 70, 12.5)], [amp_message(1, 6000, 10, 99, 99), amp_message(2, 8900)]),
]

ZED_TABLES = """
CREATE TABLE threads (id TEXT PRIMARY KEY, summary TEXT NOT NULL, updated_at TEXT NOT NULL, data_type TEXT NOT NULL,
  data BLOB NOT NULL, parent_id TEXT);
"""
ZED_THREAD = "5b8f0f0e-0000-4000-8000-000000000001"


def zed_usage(fresh, output, read=0, created=0):
    return {"input_tokens": fresh, "output_tokens": output, "cache_read_input_tokens": read,
            "cache_creation_input_tokens": created}  # fmt: skip


def zed_thread(at, requests, total, packs=None, name=ZED_THREAD):
    thread = {"version": "0.3.0", "title": "a title", "messages": [], "updated_at": stamp(START + at),
              "model": {"provider": "openai", "model": MODEL}, "request_token_usage": requests,
              "cumulative_token_usage": total,
              "initial_project_snapshot": {"worktree_snapshots": [{"worktree_path": "/work/shop"}]}}  # fmt: skip
    data = json.dumps(thread).encode()
    kind, data = ("zstd", packs(data)) if packs else ("json", data)
    return ("INSERT OR REPLACE INTO threads VALUES (?, 'a title', ?, ?, ?, NULL)",
            (name, stamp(START + at), kind, data))  # fmt: skip


ZED_STEPS = [
    [zed_thread(1, {"m1": zed_usage(3000, 50, 6000)}, zed_usage(3000, 50, 6000))],
    [zed_thread(60, {"m1": zed_usage(600, 70, 8900)}, zed_usage(3600, 120, 14_900))],
    [zed_thread(90, {"m1": zed_usage(600, 70, 8900), "m2": zed_usage(100, 5)}, zed_usage(5000, 200, 14_900))],
]

OPENCLAW_TABLES = """
CREATE TABLE session_windows (session_id TEXT NOT NULL PRIMARY KEY, session_key TEXT NOT NULL) STRICT;
CREATE TABLE transcript_events (
  session_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT, created_at INTEGER NOT NULL, event_zstd BLOB,
  event_utf8_bytes INTEGER, navigation_json TEXT, PRIMARY KEY (session_id, seq)) STRICT;
"""


def openclaw_row(session, number, record, packs=None):
    """A line of pi's as a row; `packs` packs it, as OpenClaw does with old ones."""
    text = json.dumps(record)
    size = len(text.encode()) if packs else None
    values = (session, number, None if packs else text, MS + number, packs and packs(text.encode()), size)
    return "INSERT INTO transcript_events VALUES (?, ?, ?, ?, ?, ?, NULL)", values


OPENCLAW = ".openclaw/agents/main/sessions/0d9f6c11-0000-4000-8000-000000000001.jsonl"
CODE = ".config/Code/User/globalStorage"
SAMPLES = {
    "pi": (Lines(f".pi/agent/sessions/--work-shop--/2026-09-21T14-13-20-000Z_{PI_SESSION}.jsonl", PI),
           Total(2, 3600, 14_900, 20, 120)),
    "omp": (Lines(f".omp/agent/sessions/--work-shop--/2026-09-21T14-13-20-000Z_{PI_SESSION}.jsonl",
                  [{"type": "title", "title": "x"}, *PI]), Total(2, 3600, 14_900, 20, 120)),
    "openclaw": (Lines(OPENCLAW, PI), Total(2, 3600, 14_900, 20, 120)),
    "cline": (Documents(f"{CODE}/saoudrizwan.claude-dev/tasks/{TASK}/ui_messages.json", grown_list(CLINE)),
              Total(2, 800, 14_000, 2000, 100)),
    "roo": (Documents(f"{CODE}/rooveterinaryinc.roo-cline/tasks/{TASK}/ui_messages.json", grown_list(ROO),
                      {f"{CODE}/rooveterinaryinc.roo-cline/tasks/{TASK}/api_conversation_history.json": HISTORY}),
            Total(2, 800, 14_000, 2000, 100)),
    "bob": (Documents(f".config/Bob-IDE/User/globalStorage/ibm.bob-code/tasks/{TASK}/ui_messages.json", grown_list(BOB)),  # noqa: E501
            Total(1, 100, 600, 0, 60)),
    "cline-cli": (Documents(f".cline/data/sessions/{CLINE_SESSION}/{CLINE_SESSION}.messages.json",
                            [{"version": 1, "messages": one} for one in grown_list(CLINE_CLI)],
                            {f".cline/data/sessions/{CLINE_SESSION}/{CLINE_SESSION}.json": CLINE_OWN}),
                  Total(2, 3600, 12_900, 2000, 120)),
    "kimi": (Lines(f".kimi-code/sessions/wd_shop_1c89ce7306c3/{KIMI_SESSION}/agents/main/wire.jsonl", KIMI),
             Total(3, 4500, 14_900, 20, 150)),
    "grok": (Lines(f".grok/sessions/%2Fwork%2Fshop/{GROK_SESSION}/updates.jsonl", GROK),
             Total(3, 4600, 14_900, 0, 150)),
    "hermes": (Store(".hermes/state.db", HERMES_TABLES + HERMES_BY_MODEL, HERMES_STEPS),
               Total(4, 4177, 14_900, 0, 136)),
    "goose": (Store(".local/share/goose/sessions/sessions.db", GOOSE_TABLES, GOOSE_STEPS),
              Total(4, 8000, 14_900, 100, 429)),
    "crush": (Store("work/shop/.crush/crush.db", CRUSH_TABLES, CRUSH_STEPS), Total(2, 18_500, 0, 0, 120)),
    "droid": (Documents(f".factory/sessions/-work-shop/{DROID_SESSION}.settings.json",
                        [droid(0, 0, 0), droid(3000, 50, 6000, 0, 20, 900), droid(3600, 120, 14_900, 20, 50, 1900)],
                        {f".factory/sessions/-work-shop/{DROID_SESSION}.jsonl": DROID_START}),
              Total(2, 3600, 14_900, 20, 120)),
    "vibe": (Documents(".vibe/logs/session/session_20260921_141320_abc123de/meta.json",
                       [vibe(9000, 50, 0.25), vibe(18_500, 120, 0.5)]), Total(2, 18_500, 0, 0, 120)),
    "kiro": (Documents(f".kiro/sessions/cli/{KIRO_SESSION}.json", [kiro(), kiro(KIRO[0]), kiro(*KIRO)],
                       {f".kiro/sessions/cli/{KIRO_SESSION}.lock": {"pid": 4242}}), Total(3, 900, 0, 0, 40)),
    "amp": (Documents(f".local/share/amp/threads/{AMP_THREAD}.json", AMP), Total(2, 3600, 14_900, 10, 120)),
    "zed": (Store(".local/share/zed/threads/threads.db", ZED_TABLES, ZED_STEPS), Total(3, 5000, 14_900, 0, 200)),
}  # fmt: skip
CRUSH_LIST = {".local/share/crush/projects.json"}
