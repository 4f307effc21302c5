"""What a provider reports: token usage and events.

Events are named tuples: a first scan makes a hundred thousand of them, and they cross a process
border. Everything here is frozen, knows no clock and does no I/O.

Units: tokens are whole numbers, times are epoch seconds, money as the client reports it is USD.
"""

from typing import NamedTuple

NO_USAGE = (
    "no usage: "  # how a response's model begins where nothing says what the response used: it has no price
)


class Usage(NamedTuple):
    """Tokens of one API response, split into the disjoint leaves that are priced apart.

    `input_tokens` (all input, cache included) is the sum of four leaves, as in the OpenTelemetry
    GenAI conventions; only a provider converts from its client's own counting.
    """

    uncached_input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0  # a part of output_tokens, never priced again
    web_searches: int = 0
    speed: str = ""  # "fast", else ""
    geo: str = ""  # "us", else ""
    tier: str = ""  # "batch", "flex", "priority", else ""
    # Side calls billed inside this response at a model of their own (Claude's advisor):
    # (model, uncached input, output, cache read, cache write 5m, cache write 1h)
    advisor: tuple[tuple[str, int, int, int, int, int], ...] = ()

    @property
    def cache_write_tokens(self) -> int:
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def input_tokens(self) -> int:
        return (
            self.uncached_input_tokens
            + self.cache_read_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
        )


class Place(NamedTuple):
    """Where work was done: a folder and its branch, each None where the record is silent."""

    cwd: str | None
    branch: str | None = None


class Response(NamedTuple):
    """What one file (or feed) says of one API response; several may speak of the same one.

    `message_id` and `request_id` are aliases of the response; `record_id` names it when both are
    missing. `paying_session` is set on lines copied by a fork: the session that really paid.
    """

    session: str
    at: float
    model: str
    usage: Usage
    message_id: str | None = None
    request_id: str | None = None
    record_id: str = ""
    stop_reason: str | None = None
    paying_session: str | None = None
    agent: str | None = (
        None  # a sub-agent's id; None on the main thread, "" for a side call of the client's own
    )
    visible_chars: int = 0  # text, thinking and tool input that the record shows
    offset: int = 0  # of its first line in this batch
    end: int = 0  # of its last line in this batch
    also: tuple[str, ...] = ()  # more names, of the same kind as `message_id`: what copies call it
    duration_ms: float | None = None  # from sending the request to the last byte of the answer
    ttft_ms: float | None = None  # to its first token
    billed_usd: float | None = None  # what it was billed (0: a model on this machine); outranks our price
    place: Place | None = None  # its own folder and branch; None: the session's
    client_usd: float | None = None  # the client's own reckoning of it; counts where we have no price
    credits: float | None = None  # what it was billed in the client's own credits, which are no dollars


class ToolUse(NamedTuple):
    """One tool call began. The same `tool_use_id` from several sources is one call.

    `ended_at` and `failed` are set when the same run of records holds its end too.
    """

    session: str
    at: float
    tool_use_id: str
    name: str
    agent: str | None = None
    ended_at: float | None = None
    failed: bool = False


class ToolResult(NamedTuple):
    """One tool call ended. `duration_ms` is the client's own figure, None when it gave none.

    `name` is "" when the record does not say (a transcript's result line names only the id).
    """

    session: str
    at: float
    tool_use_id: str
    name: str
    failed: bool
    duration_ms: float | None = None


class ApiError(NamedTuple):
    """One API request failed. `key` names it within its source; `final` ends the turn."""

    session: str
    at: float
    key: str
    kind: str
    final: bool


class Compaction(NamedTuple):
    """The client summarised its context. `key` names it within its source."""

    session: str
    at: float
    key: str
    trigger: str
    agent: str | None = None


class PullRequest(NamedTuple):
    """A session's work belongs to a pull request, as the client itself says. `repository` is `owner/name`."""

    session: str
    at: float
    repository: str
    number: int


class ClientTotals(NamedTuple):
    """What the client itself says a session cost so far (USD): what our counted responses are compared with."""

    session: str
    at: float | None
    cost_usd: float
    api_ms: float | None = None
    lines_changed: int | None = None  # added and removed, by its own editing tools
    by_model: tuple[tuple[str, float], ...] = ()  # (model, USD so far), where the client says it for each


class ContextSize(NamedTuple):
    """The client's own word on a session's context window: its size, and its fill if known."""

    session: str
    at: float
    limit: int
    tokens: int | None = None
    model: str | None = None  # the model with that window; None: the one that speaks now


class CacheState(NamedTuple):
    """The client's word on its prompt cache: warm or not, and when it goes cold."""

    session: str
    at: float
    warm: bool
    expires_at: float | None
    ttl: str | None
    hit_ratio: float | None


class Limit(NamedTuple):
    """An official usage limit as the client reported it."""

    provider: str
    account: str | None
    name: str  # five_hour, seven_day, …
    window_minutes: int
    used_percent: float
    resets_at: float
    source: str
    seen_at: float


class SessionInfo(NamedTuple):
    """Facts about a session, each None where the record is silent."""

    session: str
    at: float
    cwd: str | None = None
    branch: str | None = None
    model: str | None = None
    tag: str | None = None
    pid: int | None = None
    pane: str | None = None
    began_by: str | None = (
        None  # "startup", "clear", "resume": a client's total may be carried over the last two
    )


class Status(NamedTuple):
    """A session's status changed: working, waiting, idle or ended; `why` is for people."""

    session: str
    at: float
    status: str
    why: str
    live: bool = True  # False: concluded from a file, which a hook's word outranks


Event = (
    Response
    | ToolUse
    | ToolResult
    | ApiError
    | Compaction
    | PullRequest
    | ClientTotals
    | ContextSize
    | CacheState
    | Limit
    | SessionInfo
    | Status
)


class Timing(NamedTuple):
    """How long one response took: milliseconds, None where that was not measured; and the tokens it made."""

    duration_ms: float | None
    ttft_ms: float | None
    output_tokens: int
