"""Spans of time in words, for alert texts. Pure."""


def span(seconds: float) -> str:
    """`30 s`, `45 min`, `3 h 05 min`, `4 days`."""
    if seconds < 59.5:
        return f"{max(0, round(seconds))} s"
    minutes = max(0, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if hours < 48 else f"{round(hours / 24)} days"
