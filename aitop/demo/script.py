"""What happens in the demo: two made-up sessions, second by second, as Claude Code would record them.

Pure: it names lines, hooks and status lines with the second each belongs to, and knows no file, no
clock and no process. Seconds below 0 lie before the demo starts and are there from the beginning.
"""

from typing import Any, NamedTuple

from aitop.model.events import Usage
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.pricing import cost
from aitop.pricing.table import PriceTable

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
NAMES = {OPUS: "Opus 5.5", SONNET: "Sonnet 5.5"}
LIMIT = 200_000
SIDE_CALLS = 0.0034  # USD for titles and the like, which the client counts and no transcript holds
SECONDS = 56.0  # until the last thing has happened


class Line(NamedTuple):
    """One line of a transcript: the session's own, or a sub-agent's."""

    session: str
    agent: str | None
    record: JsonObject


class Hook(NamedTuple):
    session: str
    event: str
    payload: JsonObject


class FeedPayload(NamedTuple):
    """The JSON that the client hands to a status line command."""

    session: str
    payload: JsonObject


class Beat(NamedTuple):
    at: float
    action: Line | Hook | FeedPayload


class Scene:
    """One session being written: it counts what it has spent as the client would."""

    def __init__(self, number: int, project: str, branch: str, model: str, prices: PriceTable) -> None:
        self.session = f"d3300000-0000-4000-8000-{number:012d}"
        self.project, self.branch, self.model, self.prices = project, branch, model, prices
        self.beats: list[Beat] = []
        self.context = 0
        self.spent = SIDE_CALLS
        self._count = 0

    def line(self, at: float, kind: str, agent: str | None = None, **fields: Any) -> None:
        self._count += 1
        record = {
            "type": kind, "uuid": f"{self.session[:24]}{self._count:012x}", "isSidechain": agent is not None,
            "sessionId": self.session, "cwd": f"/home/you/{self.project}", "gitBranch": self.branch,
            "version": "2.1.330", **({"agentId": agent} if agent else {}), **fields,
        }  # fmt: skip
        self.beats.append(Beat(at, Line(self.session, agent, record)))

    def hook(self, at: float, event: str, **fields: Any) -> None:
        if at >= 0:
            self.beats.append(Beat(at, Hook(self.session, event, fields)))

    def prompt(self, at: float) -> None:
        self.line(at, "user", message={"role": "user", "content": "(a made-up prompt)"})
        self.hook(at, "UserPromptSubmit")

    def response(
        self, at: float, output: int, fresh: int, *, tool: str | None = None, agent: str | None = None
    ) -> str:
        """One API response on three lines, its output growing; returns the id of its tool call."""
        self._count += 1
        name = f"{self.session[-4:]}{self._count:06x}"
        model = HAIKU if agent else self.model
        read = 9_000 if agent else self.context
        usage = Usage(3, output, read, 0, fresh)
        self.spent += cost.price(self.prices, model, usage, 2e9).cost / PICO
        stop = "tool_use" if tool else "end_turn"
        block = {"type": "text", "text": "(made-up text)"}
        call: JsonObject = {"type": "tool_use", "id": f"toolu_{name}", "name": tool, "input": {}}
        for part in (1, 2, 3):
            last = part == 3
            self.line(
                at + part * 0.5, "assistant", agent, requestId=f"req_{name}",
                message={
                    "id": f"msg_{name}", "type": "message", "role": "assistant", "model": model,
                    "content": [call if tool and last else block],
                    "stop_reason": stop if last else None,
                    "usage": _usage(usage, output if last else output * part // 4),
                },
            )  # fmt: skip
        if agent is None:
            self.context += fresh + output
            self.feed(at + 1.6, usage)
        return f"toolu_{name}"

    def tool(
        self,
        at: float,
        name: str,
        identity: str,
        seconds: float,
        *,
        failed: bool = False,
        agent: str | None = None,
    ) -> None:
        """A tool call by its hooks and by its result in the transcript."""
        more = {"agent_id": agent} if agent else {}
        self.hook(at, "PreToolUse", tool_name=name, tool_use_id=identity, **more)
        event = "PostToolUseFailure" if failed else "PostToolUse"
        self.hook(at + seconds, event, tool_name=name, tool_use_id=identity,
                  duration_ms=round(seconds * 1000), **more)  # fmt: skip
        result = {"type": "tool_result", "tool_use_id": identity, "content": "(made-up output)"}
        if failed:
            result["is_error"] = True  # type: ignore[assignment]
        self.line(at + seconds, "user", agent, message={"role": "user", "content": [result]})

    def step(self, at: float, name: str, seconds: float, output: int, fresh: int, *, failed: bool = False,
             agent: str | None = None) -> float:  # fmt: skip
        """A response that calls a tool, and the tool; the second at which it is over."""
        identity = self.response(at, output, fresh, tool=name, agent=agent)
        self.tool(at + 1.7, name, identity, seconds, failed=failed, agent=agent)
        return at + 1.7 + seconds

    def feed(self, at: float, usage: Usage) -> None:
        if at < 0:
            return
        current = {
            "input_tokens": usage.uncached_input_tokens, "output_tokens": usage.output_tokens,
            "cache_creation_input_tokens": usage.cache_write_tokens,
            "cache_read_input_tokens": usage.cache_read_tokens,
        }  # fmt: skip
        used = usage.input_tokens
        payload = {
            "model": {"id": self.model, "display_name": NAMES[self.model]},
            "version": "2.1.330",
            "cost": {"total_cost_usd": round(self.spent, 6), "total_api_duration_ms": round(at * 700)},
            "context_window": {
                "context_window_size": LIMIT, "total_input_tokens": used,
                "used_percentage": round(100 * used / LIMIT), "current_usage": current,
            },
            "rate_limits": {"five_hour": 38 + at / 12, "seven_day": 17 + at / 60},
        }  # fmt: skip
        self.beats.append(Beat(at, FeedPayload(self.session, payload)))


def _usage(usage: Usage, output: int) -> JsonObject:
    return {
        "input_tokens": usage.uncached_input_tokens,
        "output_tokens": output,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        },
        "service_tier": "standard",
    }


def beats(prices: PriceTable) -> list[Beat]:
    """Everything that happens, in order."""
    all_beats = [*_checkout(prices), *_docs(prices)]
    return sorted(all_beats, key=lambda beat: beat.at)


def _checkout(prices: PriceTable) -> list[Beat]:
    """A long session: a sub-agent, a failed request, a failed tool, and a compaction when it is full."""
    scene = Scene(1, "checkout-api", "fix-rounding", OPUS, prices)
    scene.context = 24_000
    scene.prompt(-800)
    for number in range(20):  # the quarter of an hour before
        name = ("Read", "Grep", "Edit", "Bash")[number % 4]
        scene.step(
            -790 + number * 38, name, 0.3 + number % 5, 420 + 90 * (number % 6), 3_900 + 260 * (number % 7)
        )
    scene.hook(0.2, "SessionStart", source="resume")
    scene.prompt(1.0)
    at = scene.step(1.5, "Read", 0.1, 380, 3_100)
    at = scene.step(at, "Edit", 0.4, 910, 2_600)
    at = scene.step(at, "Bash", 3.2, 240, 1_900, failed=True)
    task = scene.response(at, 350, 1_500, tool="Task")
    scene.hook(at + 1.7, "PreToolUse", tool_name="Task", tool_use_id=task)
    scene.hook(at + 1.8, "SubagentStart", agent_id="demo1", agent_type="Explore")
    inside = at + 2.0
    for name in ("Grep", "Read", "Read"):
        inside = scene.step(inside, name, 0.2, 260, 2_400, agent="demo1")
    scene.hook(inside + 0.4, "SubagentStop", agent_id="demo1")
    scene.hook(inside + 0.5, "PostToolUse", tool_name="Task", tool_use_id=task,
               duration_ms=round((inside - at - 1.2) * 1000))  # fmt: skip
    result = {"type": "tool_result", "tool_use_id": task, "content": "(made-up output)"}
    scene.line(inside + 0.5, "user", message={"role": "user", "content": [result]})
    scene.line(inside + 2.5, "system", subtype="api_error", level="error", retryAttempt=1, retryInMs=900)
    at = inside + 3.5
    for name, took, output in (("Edit", 0.6, 1_350), ("Bash", 2.8, 260), ("Edit", 0.5, 1_120)):
        at = scene.step(at, name, took, output, 4_400)
    scene.hook(at + 0.5, "PreCompact", trigger="auto")
    compacted = {"trigger": "auto", "preTokens": scene.context, "postTokens": 14_000}
    scene.line(at + 3.0, "system", subtype="compact_boundary", compactMetadata=compacted)
    scene.hook(at + 3.0, "PostCompact", trigger="auto")
    scene.context = 14_000
    at += 3.5
    for name, took, fresh in (("Read", 0.2, 9_000), ("Edit", 0.4, 2_100), ("Bash", 3.4, 1_300)):
        at = scene.step(at, name, took, 300, fresh)
    scene.response(at, 820, 1_200)
    scene.hook(at + 1.8, "Stop")
    return scene.beats


def _docs(prices: PriceTable) -> list[Beat]:
    """A short one that has to ask for permission."""
    scene = Scene(2, "docs-site", "main", SONNET, prices)
    scene.hook(2.0, "SessionStart", source="startup")
    scene.prompt(2.5)
    scene.context = 12_000
    at = scene.step(3.0, "WebFetch", 1.8, 240, 11_000)
    identity = scene.response(at, 510, 6_000, tool="Bash")
    scene.hook(at + 1.7, "PermissionRequest", tool_name="Bash")
    scene.tool(at + 9.0, "Bash", identity, 1.1)
    at = scene.step(at + 10.5, "Write", 0.1, 2_300, 1_400)
    scene.response(at, 310, 900)
    scene.hook(at + 1.8, "Stop")
    scene.hook(at + 6.0, "SessionEnd", reason="prompt_input_exit")
    return scene.beats
