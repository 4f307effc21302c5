"""The published state as types: every key of `state.json` once, with its unit and its meaning.

`docs/state.md`, `aitop state --schema` and a test of real states are made from this file. It holds no code
and no number. The listener and the displays import it for their type checker alone, so it costs them nothing.
"""

from typing import Annotated, Any, Literal, NamedTuple, TypedDict

Level = Literal["ok", "warning", "critical"]
SessionStatus = Literal["working", "waiting", "idle", "ended"]
BudgetScope = Literal["all", "project", "tag", "session"]
BudgetPeriod = Literal["day", "week", "month", "session"]


class Key(NamedTuple):
    """What a key says, in plain words, and its unit."""

    meaning: str
    unit: str = ""


class Sum(TypedDict):
    """A sum of responses, errors and tool calls: `since_start`, `today`, `week`, `month`, and part of each window."""

    spent_usd: Annotated[float, Key("`cost_usd` and `untracked_usd`: what was spent", "USD")]
    cost_usd: Annotated[float, Key("the counted responses at list price", "USD")]
    untracked_usd: Annotated[
        float,
        Key(
            "what the clients report beyond the counted responses; shrinks when those calls become known",
            "USD",
        ),
    ]
    requests: Annotated[int, Key("API responses")]
    errors: Annotated[int, Key("failed API requests")]
    error_rate: Annotated[float | None, Key("errors / (requests + errors)", "0–1")]
    input_tokens: Annotated[int, Key("all input, cached included", "tokens")]
    output_tokens: Annotated[int, Key("", "tokens")]
    cache_read_tokens: Annotated[int, Key("a part of the input", "tokens")]
    cache_write_tokens: Annotated[int, Key("a part of the input", "tokens")]
    tool_calls: Annotated[int, Key("")]
    tool_failures: Annotated[int, Key("")]
    unpriced_requests: Annotated[int, Key("requests without a known price: `cost_usd` is a lower bound")]
    estimated_requests: Annotated[int, Key("requests priced by their model's family")]
    client_priced_requests: Annotated[
        int, Key("requests without a price of ours: the client's own cost stands")
    ]
    incomplete_requests: Annotated[int, Key("requests without a stop reason that are over 60 s old")]
    understated_requests: Annotated[
        int, Key("of those, the ones with visible text that needs more than twice the reported output tokens")
    ]


class Latencies(TypedDict):
    """How long responses took. Medians and 95th percentiles are within 2.2 %; `null` where nothing was measured."""

    timed_requests: Annotated[
        int, Key("responses with a known duration: from telemetry, a gateway or the client's own record")
    ]
    duration_p50_ms: Annotated[
        float | None, Key("from sending the request to the last byte of its answer", "ms")
    ]
    duration_p95_ms: Annotated[float | None, Key("", "ms")]
    ttft_p50_ms: Annotated[float | None, Key("to the first token", "ms")]
    ttft_p95_ms: Annotated[float | None, Key("", "ms")]
    output_tokens_per_second_p50: Annotated[
        float | None,
        Key(
            "output by the time it streamed in; without a time to first token, by the whole duration",
            "tokens/s",
        ),
    ]
    output_tokens_per_second_p95: Annotated[float | None, Key("", "tokens/s")]


class Window(Sum, Latencies):
    """A rolling sum over the last 1, 5 or 15 minutes, with its rates."""

    requests_per_minute: Annotated[float, Key("", "1/min")]
    tokens_per_minute: Annotated[float, Key("input and output", "tokens/min")]
    cache_hit_rate: Annotated[float | None, Key("cache reads / input", "0–1")]
    spent_usd_per_hour: Annotated[float, Key("what was spent, extrapolated", "USD/h")]
    cost_usd_per_hour: Annotated[float, Key("`cost_usd`, extrapolated", "USD/h")]


Windows = TypedDict("Windows", {"1m": Window, "5m": Window, "15m": Window})


class PromptCache(TypedDict):
    """What the client says of its prompt cache."""

    warm: Annotated[bool, Key("")]
    expires_at: Annotated[float | None, Key("when it goes cold", "s")]
    ttl: Annotated[str | None, Key("its lifetime, as the client writes it")]
    hit_ratio: Annotated[float | None, Key("", "0–1")]


class Session(Latencies):
    """A session of a client. Its sums cover all of its responses, sub-agents included."""

    id: Annotated[str, Key("the client's own id")]
    provider: Annotated[str, Key("the client")]
    project: Annotated[str, Key("the name of its folder")]
    cwd: Annotated[str | None, Key("the path of its folder")]
    folder: Annotated[
        str | None, Key("the folder its work belongs to: `cwd`, of a git worktree the same in its repository")
    ]
    branch: Annotated[str | None, Key("the git branch")]
    git_dirty: Annotated[
        bool | None, Key("uncommitted changes in its folder; `null` unless a format shows them")
    ]
    title: Annotated[None, Key("always `null`: a title is words of a conversation")]
    model: Annotated[str, Key("of the newest response, as the client writes it")]
    tag: Annotated[str | None, Key("the session's [tag](money.md#tags)")]
    pid: Annotated[int | None, Key("the client's process, where a hook named it")]
    pane: Annotated[str | None, Key("the tmux pane, where a hook named it")]
    status: Annotated[SessionStatus, Key("`waiting`: for a permission or an answer")]
    status_since: Annotated[float | None, Key("when the client last reported a status", "s")]
    active: Annotated[bool, Key("working or waiting, or idle for less than ten minutes")]
    started_at: Annotated[float | None, Key("", "s")]
    last_activity_at: Annotated[float, Key("", "s")]
    requests: Annotated[int, Key("API responses")]
    errors: Annotated[int, Key("failed API requests")]
    input_tokens: Annotated[int, Key("all input, cached included", "tokens")]
    output_tokens: Annotated[int, Key("", "tokens")]
    cache_read_tokens: Annotated[int, Key("a part of the input", "tokens")]
    cache_write_tokens: Annotated[int, Key("a part of the input", "tokens")]
    spent_usd: Annotated[float, Key("`cost_usd` and `untracked_usd`: what was spent", "USD")]
    cost_usd: Annotated[float, Key("the counted responses at list price", "USD")]
    client_cost_usd: Annotated[float | None, Key("the client's own running total", "USD")]
    untracked_usd: Annotated[
        float | None,
        Key("what the client reports beyond the counted responses; `null`: it reports no total", "USD"),
    ]
    context_tokens: Annotated[int, Key("the context of the main thread", "tokens")]
    context_limit: Annotated[int, Key("", "tokens")]
    context_percent: Annotated[float | None, Key("", "0–100")]
    compactions: Annotated[int, Key("context compactions")]
    tool_calls: Annotated[int, Key("")]
    tool_failures: Annotated[int, Key("")]
    stop_reasons: Annotated[dict[str, int], Key("reason → responses")]
    subagents: Annotated[int, Key("how many sub-agents it started")]
    unpriced_requests: Annotated[int, Key("as in the sums")]
    estimated_requests: Annotated[int, Key("as in the sums")]
    client_priced_requests: Annotated[int, Key("as in the sums")]
    incomplete_requests: Annotated[int, Key("as in the sums")]
    understated: Annotated[bool, Key("its output is a lower bound")]
    client_api_ms: Annotated[float | None, Key("time spent in API requests, by the client's count", "ms")]
    prompt_cache: Annotated[PromptCache | None, Key("`null`: the client does not report it")]


class Context(TypedDict):
    """The context of one session's main thread."""

    tokens: Annotated[int, Key("", "tokens")]
    limit: Annotated[int, Key("", "tokens")]
    percent: Annotated[float, Key("", "0–100")]
    session: Annotated[str, Key("its id")]


class Tool(TypedDict):
    """One tool, today."""

    calls: Annotated[int, Key("")]
    failures: Annotated[int, Key("")]
    p50_ms: Annotated[float | None, Key("median duration of the newest calls", "ms")]
    p95_ms: Annotated[float | None, Key("", "ms")]


class Money(TypedDict):
    """What was spent in one place."""

    spent_usd: Annotated[float, Key("`cost_usd` and `untracked_usd`: what was spent", "USD")]
    cost_usd: Annotated[float, Key("the counted responses at list price", "USD")]
    untracked_usd: Annotated[float, Key("as in the sums", "USD")]
    requests: Annotated[int, Key("API responses")]
    unpriced_requests: Annotated[int, Key("as in the sums")]
    estimated_requests: Annotated[int, Key("as in the sums")]
    client_priced_requests: Annotated[int, Key("as in the sums")]
    understated_requests: Annotated[int, Key("as in the sums")]


class Project(Money):
    """One project, today."""

    project: Annotated[str, Key("the name of its folder")]


class Folder(Money):
    """What was spent in one folder and below it, today; a worktree's work belongs to its repository."""

    folder: Annotated[str, Key("its path; a listed session's `folder`")]


class Limit(TypedDict):
    """A usage limit. It disappears when its reset has passed."""

    provider: Annotated[str, Key("the client")]
    account: Annotated[
        str | None, Key("the account that the limit belongs to; `null`: the client's usual account")
    ]
    name: Annotated[str, Key("`five_hour`, `seven_day`, …")]
    window_minutes: Annotated[int, Key("the length of its window", "min")]
    used_percent: Annotated[float, Key("above 100 is kept", "0–100")]
    resets_at: Annotated[float, Key("", "s")]
    source: Annotated[str, Key("`client`, or `estimate:PLAN`")]
    seen_at: Annotated[float, Key("when the client said so", "s")]
    age_seconds: Annotated[float, Key("how long ago that was", "s")]
    estimated: Annotated[bool, Key("no official number: see [limits](money.md#limits)")]
    elapsed_percent: Annotated[float | None, Key("of its window", "0–100")]
    pace_points: Annotated[float | None, Key("used percent minus elapsed percent", "points")]
    exhausts_at: Annotated[
        float | None,
        Key(
            "when it is used up at the mean rate of its window; `null`: not before its reset, or too early",
            "s",
        ),
    ]


class Block(TypedDict):
    """The running five-hour block."""

    provider: Annotated[str, Key("the client")]
    started_at: Annotated[float, Key("", "s")]
    ends_at: Annotated[float, Key("", "s")]
    spent_usd: Annotated[float, Key("what was spent in it", "USD")]
    cost_usd: Annotated[float, Key("the same", "USD")]
    tokens: Annotated[int, Key("outside the cache", "tokens")]
    requests: Annotated[int, Key("API responses")]
    estimated: Annotated[bool, Key("its borders are not the client's own")]


class Budget(TypedDict):
    """One of your [budgets](money.md#budgets)."""

    name: Annotated[str, Key("")]
    scope: Annotated[BudgetScope, Key("what it covers")]
    match: Annotated[str | None, Key("the pattern of the project or tag")]
    period: Annotated[BudgetPeriod, Key("")]
    limit_usd: Annotated[float, Key("", "USD")]
    used_usd: Annotated[float, Key("", "USD")]
    left_usd: Annotated[float, Key("", "USD")]
    percent: Annotated[float, Key("used of the limit", "0–100 and above")]
    level: Annotated[Level, Key("by its own thresholds")]
    over: Annotated[bool, Key("it is spent")]
    resets_at: Annotated[float | None, Key("`null` for session budgets", "s")]
    session: Annotated[str | None, Key("for session budgets: the dearest active session")]
    session_ids: Annotated[
        list[str] | None,
        Key(
            "the listed sessions that it covers; for session budgets those that are over; "
            "`null`: it covers every session"
        ),
    ]
    unpriced_requests: Annotated[int, Key("as in the sums")]
    estimated_requests: Annotated[int, Key("as in the sums")]
    understated_requests: Annotated[int, Key("as in the sums")]


class PeriodForecast(TypedDict):
    """How a period will end. See [forecasts](money.md#forecasts)."""

    usd: Annotated[float, Key("never below what is spent", "USD")]
    low_usd: Annotated[float | None, Key("`null` while too little was tested", "USD")]
    high_usd: Annotated[float | None, Key("", "USD")]
    method: Annotated[str, Key("")]
    error_percent: Annotated[float | None, Key("the method's mean error on your own past", "%")]
    tested: Annotated[int, Key("moments of the past on which it was tested")]
    ends_at: Annotated[float, Key("", "s")]


class Forecast(TypedDict, total=False):
    """Empty until the past has been read; `block` only while one runs."""

    day: Annotated[PeriodForecast, Key("today")]
    block: Annotated[PeriodForecast, Key("the running block")]
    month: Annotated[PeriodForecast, Key("this month")]


class Plan(TypedDict):
    """What a subscription of Claude gave. See [plans](money.md#what-a-plan-is-worth)."""

    name: Annotated[str | None, Key("`limits.plan`; `null`: no plan is named there")]
    usd_a_month: Annotated[float | None, Key("what it costs", "USD")]
    days: Annotated[int, Key("whole days, the last one yesterday")]
    until: Annotated[str, Key("that last day, as ISO date")]
    value_usd: Annotated[float, Key("what Claude Code spent in them, at API prices", "USD")]
    factor: Annotated[float | None, Key("the value divided by what the plan costs in as many days")]
    unpriced_requests: Annotated[int, Key("of the requests behind the value, as in the sums")]
    understated_requests: Annotated[int, Key("as in the sums")]
    estimated_requests: Annotated[int, Key("as in the sums")]


class Alert(TypedDict):
    """Something to look at. See [alerts](alerts.md)."""

    id: Annotated[str, Key("the rule, and after a colon what it is about")]
    rule: Annotated[str, Key("the one word that says why")]
    level: Annotated[Level, Key("`ok` is good news and colours nothing")]
    text: Annotated[str, Key("for people")]
    since: Annotated[float, Key("", "s")]
    cause: Annotated[str, Key("an alert of the same id and cause is the same news; or empty")]
    session: Annotated[str | None, Key("the session it is about")]
    provider: Annotated[str | None, Key("the client it is about; `null`: all of them")]


class Burn(TypedDict):
    """The burn rate that colours and alerts go by. See [alerts](alerts.md) for how the thresholds are learned."""

    usd_per_hour: Annotated[float, Key("what was spent in the window, extrapolated", "USD/h")]
    window: Annotated[str, Key("the window it is made from")]
    level: Annotated[Level, Key("critical only where the rate has held for fifteen minutes")]
    warning_usd_per_hour: Annotated[float, Key("0 is off", "USD/h")]
    critical_usd_per_hour: Annotated[float, Key("0 is off", "USD/h")]
    learned: Annotated[bool, Key("the thresholds come from your own past")]


class ClientCoverage(TypedDict):
    """How much of one client's records is counted."""

    found: Annotated[bool, Key("its folder or program is on this machine")]
    counted: Annotated[bool, Key("its records are read")]
    reason: Annotated[str | None, Key("why they are not, or not all of them")]
    files: Annotated[int, Key("files known")]
    unread: Annotated[int, Key("files that could not be read")]
    version_unknown: Annotated[int, Key("files of a format version that is not known")]


class ResponseCoverage(TypedDict):
    """The responses of this month by how well their cost is known."""

    priced: Annotated[int, Key("at list price, or at the client's own")]
    estimated: Annotated[int, Key("by their model's family")]
    at_least: Annotated[int, Key("without a price or with an understated output: their sum is a lower bound")]


class Coverage(TypedDict):
    """What the totals cover."""

    clients: Annotated[dict[str, ClientCoverage], Key("client → what is counted of it")]
    responses: Annotated[ResponseCoverage, Key("")]


class Sparklines(TypedDict):
    """The last hour: 60 values, one a minute, oldest first."""

    spent_usd: Annotated[list[float], Key("", "USD")]
    cost_usd: Annotated[list[float], Key("", "USD")]
    tokens: Annotated[list[int], Key("input and output", "tokens")]


class Credits(TypedDict):
    """What a client used in the credits that its maker bills: beside the dollars, never added to them.

    With a published rate they are the counted cost at that rate, else what the client recorded.
    """

    unit: Annotated[str, Key("what its maker calls them")]
    per_usd: Annotated[int | None, Key("credits for one dollar, as published; null where no rate is")]
    today: Annotated[float | None, Key("null: it was used and recorded none")]
    week: Annotated[float | None, Key("the same")]
    month: Annotated[float | None, Key("the same")]


class Provider(TypedDict):
    """One client's part of the whole, key by key as the whole has it."""

    windows: Annotated[Windows, Key("")]
    since_start: Annotated[Sum, Key("")]
    today: Annotated[Sum, Key("")]
    week: Annotated[Sum, Key("")]
    month: Annotated[Sum, Key("")]
    sparklines: Annotated[Sparklines, Key("")]
    burn: Annotated[Burn, Key("")]
    active_sessions: Annotated[int, Key("")]
    waiting_sessions: Annotated[int, Key("")]
    context: Annotated[Context | None, Key("")]
    compactions: Annotated[int, Key("of the listed sessions, since they began")]
    stop_reasons: Annotated[dict[str, int], Key("")]
    tools: Annotated[dict[str, Tool], Key("durations are `null`: they are kept of all clients together")]
    projects_today: Annotated[list[Project], Key("")]
    folders_today: Annotated[list[Folder], Key("")]
    credits: Annotated[Credits | None, Key("null for a client that is not billed in credits")]


class Listener(TypedDict):
    """The process that writes the state."""

    pid: Annotated[int, Key("")]
    started_at: Annotated[float, Key("", "s")]
    version: Annotated[str, Key("")]


class Prices(TypedDict):
    """The prices in force, and the models that have none of their own."""

    as_of: Annotated[str, Key("an ISO date")]
    source: Annotated[str, Key("")]
    stale: Annotated[bool, Key("they are old")]
    unpriced_models: Annotated[list[str], Key("without a known price")]
    estimated_models: Annotated[list[str], Key("priced by their family")]


class Hooks(TypedDict):
    """What came to the socket since the listener's start."""

    received: Annotated[int, Key("")]
    unique: Annotated[int, Key("without repetitions")]
    rejected: Annotated[int, Key("")]
    by_event: Annotated[dict[str, int], Key("event → how many")]


class Scan(TypedDict):
    """The reading of the clients' files since the listener's start."""

    done_bytes: Annotated[int, Key("", "bytes")]
    total_bytes: Annotated[int, Key("", "bytes")]
    complete: Annotated[bool, Key("everything that was there has been read")]


class DisplayLevels(TypedDict):
    """Thresholds by which displays colour: warning and critical, 0 is off."""

    burn: Annotated[list[float], Key("", "USD/h")]
    context: Annotated[list[float], Key("", "%")]
    limit: Annotated[list[float], Key("", "%")]
    cache_hit: Annotated[float, Key("below this", "%")]


class StatusLine(TypedDict):
    """How Claude Code's own status line is drawn."""

    format: Annotated[str, Key("")]
    preset: Annotated[str, Key("")]
    style: Annotated[str, Key("")]


class Display(TypedDict):
    """What displays need of the configuration."""

    billing: Annotated[Literal["api", "subscription"], Key("how you pay, already decided")]
    symbol: Annotated[str, Key("of the currency")]
    rate: Annotated[float, Key("units of the currency for one USD")]
    preset: Annotated[str, Key("")]
    levels: Annotated[DisplayLevels, Key("")]
    statusline: Annotated[StatusLine, Key("how Claude Code's own status line is drawn")]
    segments: Annotated[list[list[Any]], Key("your own segments: name, display, preset, format")]


class Restored(TypedDict):
    """What the last restore of the history did."""

    at: Annotated[float, Key("", "s")]
    file: Annotated[str, Key("the damaged file, kept")]
    backup: Annotated[str | None, Key("what was restored from")]
    rows: Annotated[int, Key("rows carried over")]
    incomplete_days: Annotated[list[str] | None, Key("`null` until every file has been read again")]


class Forward(TypedDict):
    """Telemetry passed on to your own collector."""

    url: Annotated[str, Key("")]
    sent: Annotated[int, Key("")]
    failed: Annotated[int, Key("")]
    lost: Annotated[int, Key("")]
    problem: Annotated[str | None, Key("")]


class Telemetry(TypedDict, total=False):
    """The receiver of [telemetry](otel.md)."""

    port: Annotated[int | None, Key("`null`: it does not listen")]
    problem: Annotated[str | None, Key("")]
    received: Annotated[int, Key("requests")]
    rejected: Annotated[int, Key("requests")]
    records: Annotated[int, Key("")]
    forward: Annotated[Forward | None, Key("")]


class FleetDoor(TypedDict):
    """The door for [Prometheus](fleet.md)."""

    port: Annotated[int | None, Key("`null`: it does not listen")]
    problem: Annotated[str | None, Key("why it does not")]


class Doctor(TypedDict):
    """What `aitop doctor` asks."""

    bad_lines: Annotated[int, Key("lines of the clients' files that hold no whole record")]
    files: Annotated[int, Key("files known")]
    unread_files: Annotated[list[str], Key("files that could not be read, at most 20")]
    config_error: Annotated[str | None, Key("why the configuration on disk is not in force")]
    history_error: Annotated[str | None, Key("while the history cannot be written")]
    history_restored: Annotated[Restored | None, Key("the last restore of the history")]
    broken_providers: Annotated[dict[str, str], Key("provider → what is wrong with it")]
    watching: Annotated[
        bool, Key("the system reports changed files; `false`: aitop looks at them each second")
    ]
    prices_problem: Annotated[str | None, Key("why the prices on disk are not in force")]
    otel: Annotated[Telemetry | None, Key("`null` while telemetry is off")]
    fleet: Annotated[FleetDoor | None, Key("`null` while nothing is served to Prometheus")]


class Fleet(TypedDict):
    """Every machine together, as the engine of [the fleet](fleet.md) knows them. `null`: it does not know."""

    at: Annotated[float | None, Key("when it last answered", "s")]
    problem: Annotated[str | None, Key("why it does not answer; the numbers are then those of `at`")]
    today_usd: Annotated[float | None, Key("since midnight here", "USD")]
    month_usd: Annotated[float | None, Key("", "USD")]
    total_usd: Annotated[float | None, Key("all that was ever counted", "USD")]
    machines: Annotated[int, Key("known within thirty days")]
    stale_machines: Annotated[int, Key("not scraped for ten minutes")]


class Energy(TypedDict):
    """Electricity and carbon of today's output, estimated. `null`: the extra `energy` is not installed, or not yet."""

    energy_kwh: Annotated[list[float], Key("the lowest and the highest estimate", "kWh")]
    carbon_kg: Annotated[list[float], Key("the same as greenhouse gas", "kg CO2 equivalent")]
    output_tokens: Annotated[int, Key("the output that is in it; input and cached tokens are not", "tokens")]
    unknown_models: Annotated[list[str], Key("models that the method does not know: left out")]
    zone: Annotated[str | None, Key("the country of the electricity; `null`: by provider")]
    method: Annotated[str, Key("the method with its version")]
    source: Annotated[str, Key("where it is described")]


class State(TypedDict):
    """The whole of `state.json`."""

    version: Annotated[Literal[1], Key("")]
    written_at: Annotated[
        float, Key("when the numbers were taken; where the file's own time is later, that counts", "s")
    ]
    host: Annotated[str, Key("the machine's name")]
    listener: Annotated[Listener, Key("the process that writes the state")]
    providers: Annotated[list[str], Key("the clients in use: those with records, and those you configured")]
    by_provider: Annotated[dict[str, Provider], Key("client → its part of the whole")]
    active_sessions: Annotated[int, Key("sessions that are active, listed or not")]
    waiting_sessions: Annotated[int, Key("sessions that wait for a permission or an answer")]
    windows: Annotated[Windows, Key("rolling sums")]
    since_start: Annotated[Sum, Key("records dated after the listener's start")]
    today: Annotated[Sum, Key("since local midnight")]
    week: Annotated[Sum, Key("since the week began")]
    month: Annotated[Sum, Key("since the first of the month")]
    burn: Annotated[Burn, Key("the burn rate as it is judged")]
    sessions: Annotated[list[Session], Key("at most 50, newest activity first")]
    projects_today: Annotated[list[Project], Key("dearest first, at most 20")]
    folders_today: Annotated[list[Folder], Key("of the listed sessions, at most 30")]
    context: Annotated[Context | None, Key("of the newest working session, else of the newest active one")]
    compactions: Annotated[int, Key("context compactions today")]
    stop_reasons: Annotated[dict[str, int], Key("reason → responses today")]
    tools: Annotated[dict[str, Tool], Key("name → its calls today")]
    limits: Annotated[list[Limit], Key("usage limits")]
    block: Annotated[Block | None, Key("the running five-hour block")]
    budgets: Annotated[list[Budget], Key("your budgets")]
    forecast: Annotated[Forecast, Key("how today, the block and the month will end")]
    plan: Annotated[
        Plan | None, Key("what a subscription gave; `null` until the past is known, or without use")
    ]
    alerts: Annotated[list[Alert], Key("what deserves a look")]
    level: Annotated[Level, Key("the worst alert")]
    sparklines: Annotated[Sparklines, Key("the last hour")]
    prices: Annotated[Prices, Key("the prices in force")]
    hooks: Annotated[Hooks, Key("what came to the socket")]
    scan: Annotated[Scan, Key("reading of the clients' files")]
    coverage: Annotated[Coverage, Key("what the totals cover")]
    display: Annotated[Display, Key("what displays need of the configuration")]
    doctor: Annotated[Doctor, Key("what `aitop doctor` asks")]
    fleet: Annotated[Fleet | None, Key("every machine together; `null` unless `fleet.read` is set")]
    energy: Annotated[Energy | None, Key("today's electricity and carbon, as ranges")]
