"""The words that every room shares: events as providers report them, sums, histograms, calendar periods.

Pure data and arithmetic: it must not know a file, a clock or the configuration. Read `events.py` first. Its
names are the public interface of provider packages, which import them from here.
"""

from aitop.model.events import (
    ApiError,
    CacheState,
    ClientTotals,
    Compaction,
    ContextSize,
    Event,
    Limit,
    Place,
    PullRequest,
    Response,
    SessionInfo,
    Status,
    Timing,
    ToolResult,
    ToolUse,
    Usage,
)

__all__ = [
    "ApiError",
    "CacheState",
    "ClientTotals",
    "Compaction",
    "ContextSize",
    "Event",
    "Limit",
    "Place",
    "PullRequest",
    "Response",
    "SessionInfo",
    "Status",
    "Timing",
    "ToolResult",
    "ToolUse",
    "Usage",
]
