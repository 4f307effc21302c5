"""What stands around a report's rows: its header, its notes, and what to say when it has no rows. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from aitop.config import budgets_and_tags
from aitop.history.query import spans
from aitop.model.sums import Sum
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter
from aitop.reports.rows import Row, clean
from aitop.segments.money import Currency

GIT_ERRORS_MAX = 8  # lines of a report for people
Folders = Mapping[str, Sequence[str]]  # client → the folders its records are looked for in


def header(title: str, wanted: Filter, currency: Currency | None, now: float) -> str:
    """One line: what is summed, of which days, in which time zone, with which filters, and how it is paid.

    `currency` None: the report shows no money.
    """
    parts = [title, days(wanted), _zone(wanted, now)]
    parts += [f"--{name} {clean(value)}" for name, value in wanted.patterns().items()]
    return " · ".join(parts if currency is None else [*parts, _billing(currency)])


def days(wanted: Filter) -> str:
    """The days asked for, in words."""
    if wanted.since and wanted.since == wanted.until:
        return wanted.since.isoformat()
    if wanted.since and wanted.until:
        return f"{wanted.since} to {wanted.until}"
    if wanted.since:
        return f"since {wanted.since}"
    return f"until {wanted.until}" if wanted.until else "all days"


def _when(wanted: Filter) -> str:
    if not wanted.until:
        return days(wanted)
    return f"{'on' if wanted.since == wanted.until else 'from'} {days(wanted)}"


def _zone(wanted: Filter, now: float) -> str:
    if wanted.zone is not None:
        return str(wanted.zone)
    return datetime.fromtimestamp(now).astimezone().tzname() or "local time"


def _billing(currency: Currency) -> str:
    paid = (
        "subscription: ≈ is what the same use costs at API prices" if currency.subscription else "API prices"
    )
    if currency.symbol == "$" and currency.rate == 1:
        return paid
    return f"{paid}, {currency.symbol} at {currency.rate:g} for one USD"


def notes(total: Sum, coverage: Sequence[str] = ()) -> list[str]:
    """What the marks mean where they stand, how many responses are behind them, and what could not be counted."""
    texts = []
    if total.unpriced_requests:
        texts.append(f"≥ {_times(total.unpriced_requests)} no known price: `aitop prices` lists their models")
    if total.understated_requests:
        texts.append(f"≥ {_times(total.understated_requests)} more output than their client's records say")
    if total.estimated_requests:
        texts.append(f"~ {_times(total.estimated_requests)} the price of the newest model of their family")
    if total.client_priced_requests:
        texts.append(
            f"  {_times(total.client_priced_requests)} the cost that their client says, no price of ours"
        )
    if total.untracked:
        texts.append(
            "  untracked: what the client reports beyond its records, such as titles and compactions"
        )
    return [*texts, *([_priced(total)] if total.requests else []), *coverage]


def git_errors(rows: Sequence[Row]) -> list[str]:
    """What git could not say, a line for each working tree."""
    one_each = [row["git_error"] for row in rows if row.get("git_error")]
    errors = list(dict.fromkeys([*one_each, *(error for row in rows for error in row.get("git_errors", ()))]))
    lines = [f"! unknown: {clean(error)}" for error in errors[:GIT_ERRORS_MAX]]
    more = len(errors) - len(lines)
    return [*lines, f"! unknown: {more} more; `--json` has each"] if more else lines


def _times(count: int) -> str:
    return f"{_requests(count)} {'has' if count == 1 else 'have'}"


def _requests(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"


def _priced(total: Sum) -> str:
    exact = total.requests - total.unpriced_requests - total.estimated_requests
    at_least = total.unpriced_requests + total.understated_requests
    return (
        f"Coverage: {_requests(total.requests)}, {exact:,} priced, {total.estimated_requests:,} estimated, "
        f"{at_least:,} at least"
    )


def nothing(asker: Asker, folders: Folders, name: str = "") -> str:
    """Why a report has no rows, and which folders were read for it. `name`: what a row would be named by."""
    if name == "commit" and any(True for _ in asker.cells()):
        return f"no git repository in the folders worked in {_when(asker.wanted)}"
    return "\n".join([_why(asker), *_places(folders)])


def _why(asker: Asker) -> str:
    wanted, bounds = asker.wanted, spans.bounds(asker.db)
    if bounds is None:
        return "the history is empty"
    zone = wanted.zone
    first, last = (datetime.fromtimestamp(at, zone).date() for at in (bounds[0], bounds[1] - 1))
    unmatched = [
        f"--{name} {clean(value)}" for name, value in wanted.patterns().items() if not _matches(asker, name)
    ]
    if unmatched:
        return f"nothing in the whole history matches {' or '.join(unmatched)}"
    filters = " ".join(f"--{name} {clean(value)}" for name, value in wanted.patterns().items())
    together = f" for {filters}" if filters else ""
    return f"nothing in the history{together}, {days(wanted)}; it goes from {first} to {last}"


def _matches(asker: Asker, name: str) -> bool:
    """Whether one pattern alone lets anything of the history through."""
    wanted = asker.wanted
    if name == "model":
        return bool(asker.only.models)
    facts = asker.facts.values()
    if name == "provider":
        return any(f.provider == wanted.provider for f in facts)
    if name == "tag":
        return any(fnmatchcase(asker.tags[f.id] or "", wanted.tag or "") for f in facts)
    folders = [*(f.cwd for f in facts), *(place.cwd for place in spans.places(asker.db).values())]
    return any(budgets_and_tags.in_folder(folder, wanted.project or "") for folder in folders)


def _places(folders: Folders) -> list[str]:
    if not folders:
        return ["no client's folder was found; `aitop doctor` says where each is looked for"]
    texts = [f"  {client}: {', '.join(map(clean, places))}" for client, places in sorted(folders.items())]
    return ["folders read:", *texts]
