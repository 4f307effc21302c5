"""The history's rows in memory, and the rules that turn what several files say into one response.

Pure: no database, no clock. The order of files (earliest first timestamp, then the smaller path)
decides every tie, so the outcome is the same in any reading order and after every restart.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from aitop.history.columns import CHARS_PER_TOKEN
from aitop.model.events import CacheState, Place, Response, SessionInfo, Timing, Usage
from aitop.model.histograms import Timings
from aitop.model.json_types import JsonObject
from aitop.model.sums import MICRO, PICO, ZERO, Sum
from aitop.pricing.basis import Basis

INCOMPLETE_AFTER = 60.0  # seconds: a response still without a stop reason by then stays so
MAX_USD = 1e3  # one response that says it cost more is damaged
MAX_CREDITS = 1e6  # one response that says more is damaged, and sums of such would not fit the history


# What a session begins with. Python makes a new object for each `{}` and `frozenset()`: 350 bytes of each session.
_NO_MODELS: Mapping[str, float] = {}
_NO_AGENTS: frozenset[str] = frozenset()


class File:
    """One tailed file: its session, and how far it is in the history."""

    __slots__ = ("agent", "bad_lines", "device", "first_at", "id", "inode", "mtime_ns", "offset", "path",
                 "pending", "provider", "session", "size", "tail")  # fmt: skip

    def __init__(self, identity: int, provider: str, path: str, *rest: Any) -> None:
        self.id, self.provider, self.path = identity, provider, path
        stored = rest or (None, None, None, None, None, 0, 0, 0, 0, 0, None)
        self.session, self.agent, self.first_at = stored[:3]
        self.device, self.inode, self.size, self.mtime_ns = stored[3:7]
        self.offset, self.tail, self.bad_lines, self.pending = stored[7:]

    def order(self) -> tuple[float, str]:
        """Which of two files owns what both report: the one that begins earlier, then the smaller path."""
        return (self.first_at if self.first_at is not None else float("inf"), self.path)


class Session:
    """One session's facts and totals."""

    __slots__ = (
        "agents",
        "began_by",
        "branch",
        "cache",
        "client_api_ms",
        "client_at",
        "client_base",
        "client_cost",
        "client_model_bases",
        "client_models",
        "compactions",
        "context_at",
        "context_limit",
        "context_model",
        "context_tokens",
        "cwd",
        "dirty",
        "id",
        "info_at",
        "inherited",
        "last_at",
        "lines",
        "model",
        "name",
        "pane",
        "pid",
        "provider",
        "restarted",
        "started_at",
        "status",
        "status_at",
        "status_live",
        "stop_reasons",
        "tag",
        "timings",
        "total",
        "totals_moved",
    )  # fmt: skip

    def __init__(self, identity: int, provider: str, name: str) -> None:
        self.id, self.provider, self.name = identity, provider, name
        self.cwd: str | None = None
        self.branch: str | None = None
        self.model: str | None = None
        self.tag: str | None = None
        self.pid: int | None = None
        self.pane: str | None = None
        self.info_at = 0.0
        self.started_at: float | None = None
        self.last_at = 0.0
        self.status: str | None = None
        self.status_at = 0.0
        self.status_live = False
        self.total = ZERO
        self.compactions = 0
        self.stop_reasons: dict[str, int] = {}
        self.timings = Timings()
        self.client_cost: float | None = None
        self.client_api_ms: float | None = None
        self.client_at: float | None = None  # when the client last reported its total
        self.client_base = 0.0  # USD: what its total began with, which is another session's
        self.client_models: Mapping[str, float] = _NO_MODELS  # its total for each model, where it reports one
        self.client_model_bases: Mapping[str, float] | None = _NO_MODELS  # began with; None: not known yet
        self.began_by: str | None = None
        self.restarted = (
            False  # begun again since its total was last reported; not kept over a restart of ours
        )
        self.totals_moved = False  # its total or ours moved: what is untracked has to be reckoned again
        self.inherited = 0  # picodollars of copied responses that another session paid
        self.context_tokens: int | None = None
        self.context_at = 0.0
        self.context_limit: int | None = None
        self.context_model: str | None = None  # the model that has this window; None: not known
        self.agents: frozenset[str] = _NO_AGENTS
        self.cache: CacheState | None = None  # as the client last said; not kept over a restart
        # (changed lines as the client counts them, when that number last changed, when last reported); not kept either
        self.lines: tuple[int, float, float] | None = None
        self.dirty = True

    def packed_models(self) -> str | None:
        """The client's totals by model and their baselines, as JSON; the baselines stand under the empty name."""
        if not self.client_models and self.client_model_bases == {}:
            return None
        bases = {} if self.client_model_bases == {} else {"": self.client_model_bases}
        return json.dumps({**self.client_models, **bases})

    def unpack_models(self, packed: str | None) -> None:
        """The inverse of `packed_models`."""
        models = json.loads(packed) if packed else {}
        self.client_model_bases = models.pop("", {})
        self.client_models = models

    def window(self) -> int | None:
        """The context window that the client reported (tokens); None where it was of another model than speaks now."""
        ours = (
            self.context_model is None or self.model is None or _bare(self.model) == _bare(self.context_model)
        )
        return self.context_limit if ours else None


def inform(session: Session, event: SessionInfo, at: float) -> None:
    """Take in facts about a session that were so at `at`; a newer word wins."""
    newer = at >= session.info_at
    session.info_at = max(session.info_at, at)
    if event.began_by is not None:
        if session.began_by in (None, "compact", "resume"):  # these go on with a session that began before
            session.began_by = event.began_by
        session.restarted = session.client_cost is not None and event.began_by in ("startup", "resume")
    for name in ("cwd", "branch", "model", "tag", "pid", "pane"):
        value = getattr(event, name)
        if value is not None and (newer or getattr(session, name) is None):
            setattr(session, name, value)


def _bare(model: str) -> str:
    """A model's id without its date."""
    head, _, date = model.rpartition("-")
    return head if len(date) == 8 and date.isdecimal() else model


class Evidence(NamedTuple):
    """What one file says of one response."""

    at: float
    model: str
    usage: Usage
    stop_reason: str | None
    visible: int
    agent: str | None
    paying: str | None
    file: int
    end: int
    duration_ms: float | None = None
    ttft_ms: float | None = None
    billed: int | None = None  # picodollars it was billed
    claimed: int | None = None  # picodollars by the client's own reckoning
    place: Place | None = None
    credits: int | None = None  # millionths of the client's own credits

    def timing(self) -> Timing | None:
        """How long it took; None where it was not measured."""
        if self.duration_ms is None and self.ttft_ms is None:
            return None
        return Timing(self.duration_ms, self.ttft_ms, self.usage.output_tokens)


class Contribution(NamedTuple):
    """What one response adds, and where."""

    at: float
    session: int
    model: str
    sum: Sum
    stop_reason: str | None = None
    timing: Timing | None = None
    place: Place | None = None


class CountedResponse:
    """One response as it counts now. `copied`: more than one file holds it."""

    __slots__ = ("basis", "copied", "cost", "evidence", "id", "incomplete", "message_key", "request_key",
                 "session", "stored")  # fmt: skip

    def __init__(self, identity: int, session: int, evidence: Evidence) -> None:
        self.id, self.session, self.evidence = identity, session, evidence
        self.cost = 0
        self.basis = Basis.LISTED
        self.incomplete = False
        self.copied = False
        self.message_key: int | None = None
        self.request_key: int | None = None
        self.stored = False

    def contribution(self) -> Contribution:
        e, u = self.evidence, self.evidence.usage
        understated = self.incomplete and e.visible > 2 * CHARS_PER_TOKEN * u.output_tokens
        return Contribution(
            e.at, self.session, e.model,
            Sum(
                requests=1,
                uncached_input_tokens=u.uncached_input_tokens,
                output_tokens=u.output_tokens,
                cache_read_tokens=u.cache_read_tokens,
                cache_write_5m_tokens=u.cache_write_5m_tokens,
                cache_write_1h_tokens=u.cache_write_1h_tokens,
                cost=self.cost,
                unpriced_requests=int(self.basis == Basis.UNPRICED),
                estimated_requests=int(self.basis == Basis.FAMILY),
                client_priced_requests=int(self.basis == Basis.CLIENT),
                incomplete_requests=int(self.incomplete),
                understated_requests=int(understated),
                credits=e.credits or 0,
            ),
            e.stop_reason, e.timing(), e.place,
        )  # fmt: skip


def first_evidence(r: Response, file: int, now: float) -> Evidence:
    """A response as one file reports it; a time in the future, or no time, becomes now."""
    at = min(r.at, now) if r.at > 0 else now
    return Evidence(
        at, r.model, r.usage, r.stop_reason, r.visible_chars, r.agent, r.paying_session, file, r.end,
        r.duration_ms, r.ttft_ms, _picodollars(r.billed_usd), _picodollars(r.client_usd), r.place,
        _millionths(r.credits),
    )  # fmt: skip


def _picodollars(usd: float | None) -> int | None:
    return round(usd * PICO) if usd is not None and 0 <= usd < MAX_USD else None


def _millionths(credits_: float | None) -> int | None:
    return round(credits_ * MICRO) if credits_ is not None and 0 <= credits_ < MAX_CREDITS else None


def more_evidence(old: Evidence, r: Response, now: float) -> Evidence:
    """The same file holds the same response again: its last line wins, its first time stays."""
    new = first_evidence(r, old.file, now)
    return new._replace(
        at=min(old.at, new.at),
        visible=old.visible + r.visible_chars if r.offset > old.end else r.visible_chars,
        agent=new.agent if old.agent is not None else None,
        paying=new.paying or old.paying,
        place=old.place or new.place,
        **_measured(new, old),
    )


def joined(one: Evidence, other: Evidence) -> Evidence:
    """Two responses of one file turned out to be one: its last line wins, its first time stays."""
    first, last = sorted((one, other), key=lambda evidence: evidence.end)
    return last._replace(
        at=min(one.at, other.at),
        visible=one.visible + other.visible,
        agent=last.agent if first.agent is not None else None,
        paying=last.paying or first.paying,
        place=first.place or last.place,
        **_measured(last, first),
    )


def decide(versions: Iterable[Evidence], file_of: Callable[[int], File]) -> tuple[Evidence, str | None]:
    """One response from every file's version of it: what counts, and the name of the session that paid.

    A version with a stop reason beats one without; then a sub-agent's own file beats its parent's, which may
    repeat an earlier state. A feed's version, which comes only for whole responses, beats a file's without a stop
    reason. What a feed measured and billed beats what files imply. The session is the one a line names as paying,
    else that of the first file in order. Where either is on a main thread, the response is.
    """
    ordered = sorted(versions, key=lambda e: file_of(e.file).order())
    repeated = all(e.agent is not None for e in ordered if e.file)
    best = min(
        ordered, key=lambda e: (e.stop_reason is None, repeated and file_of(e.file).agent is None)
    )  # the first of equal ones
    if best.stop_reason is None:
        best = next((e for e in ordered if e.file == 0 and e.billed is not None), best)
    paying = next((e.paying for e in ordered if e.paying), None)
    written = [e for e in ordered if e.file] or ordered  # a feed may not know which thread it was
    main = any(e.agent is None for e in written)
    counted = best._replace(
        at=min(e.at for e in ordered), agent=None if main else written[0].agent, paying=paying,
        place=next((e.place for e in written if e.place), None),
        **_measured(*sorted(ordered, key=lambda e: e.file != 0)),
    )  # fmt: skip
    return counted, paying or file_of(ordered[0].file).session


def _measured(*versions: Evidence) -> JsonObject:
    """Each measurement as the first that made it has it."""
    return {
        name: next((value for e in versions if (value := getattr(e, name)) is not None), None)
        for name in ("duration_ms", "ttft_ms", "billed", "claimed", "credits")
    }


def pack_modifiers(u: Usage) -> str | None:
    """Speed, place, tier and side calls as JSON; None when all are plain, as nearly always."""
    if not (u.speed or u.geo or u.tier or u.advisor):
        return None
    return json.dumps([u.speed, u.geo, u.tier, u.advisor], separators=(",", ":"))


def unpack_usage(leaves: Iterable[int], modifiers: str | None) -> Usage:
    """The inverse: seven counts as stored, and their modifiers."""
    usage = Usage._make((*leaves, "", "", "", ()))
    if modifiers:
        speed, geo, tier, advisor = json.loads(modifiers)
        usage = usage._replace(
            speed=speed, geo=geo, tier=tier, advisor=tuple(tuple(call) for call in advisor)
        )
    return usage
