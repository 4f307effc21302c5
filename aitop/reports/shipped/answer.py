"""What was shipped and what was wasted: the cost of each turn, divided over the lines of its edits by their fate.

A turn's cost goes to the fates of its lines in proportion, in whole picodollars. A turn without a line is not
attributed; a turn is unknown when its records or its repository are gone. So the rows add up to the total, to the
picodollar.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from aitop.history.query import pull_requests, spans
from aitop.history.query.doubts import Doubts
from aitop.model.events import Place
from aitop.model.sums import Sum
from aitop.reports import git
from aitop.reports.ask import Asker
from aitop.reports.rows import Answer, Row, usd
from aitop.reports.shipped import survival
from aitop.reports.shipped.reading import CLIENTS, Progress, Reading, Turn, Written
from aitop.reports.shipped.survival import DECIDED, UNKNOWN, Line
from aitop.reports.shipped.tree import Tree

NOT_ATTRIBUTED = "not attributed"
REPOSITORIES_MAX = 50
PROGRAMS = 4  # of git at once
SECONDS_MAX = 300.0  # then git is asked no more
NO_RECORD, NO_REPOSITORY, TOO_LONG = "no record of edits", "no repository", "git took too long"
FAILED = "git could not say it"
REASONS = {NO_RECORD: "no_record_usd", NO_REPOSITORY: "no_repository_usd", TOO_LONG: "too_long_usd",
           FAILED: "git_failed_usd"}  # fmt: skip

File = tuple[str, str]  # (git folder, path from the root)
Fate = tuple[str, str]  # (fate, why it is unknown, else "")


class Money(NamedTuple):
    """What a turn cost: picodollars counted and untracked, requests, and those in doubt, as in `Doubts`."""

    cost: int = 0
    untracked: int = 0
    requests: int = 0
    unpriced: int = 0
    understated: int = 0
    estimated: int = 0

    def doubts(self) -> Doubts:
        return Doubts(self.unpriced, self.understated, self.estimated)

    def doubted(self, by: Doubts) -> "Money":
        return self._replace(unpriced=by[0], understated=by[1], estimated=by[2])

    def plus(self, other: "Money") -> "Money":
        return Money(*(one + two for one, two in zip(self, other, strict=True)))


def answer(asker: Asker, start: float, end: float, reading: Reading, progress: Progress) -> Answer:
    """A row for each fate. Raises sqlite3.Error."""
    turns = turns_of(asker, start, end, reading)
    written = [one for one in reading.written if one.turn in turns]
    errors: dict[str, str] = {}
    fates = _fates(written, progress, errors)
    shares: dict[Fate, Money] = {}
    for turn, money in turns.items():
        for fate, part in _divided(money, _parts(turn, fates, asker, reading)):
            shares[fate] = shares.get(fate, Money()).plus(part)
    lines: Counter[Fate] = Counter()
    for of in fates.values():
        lines.update(of)
    total = Money()
    for money in turns.values():
        total = total.plus(money)
    reasons = [f"{where}: {why}" for where, why in errors.items()]
    rows = [
        _row(fate, shares, lines, total, reasons if fate == UNKNOWN else [])
        for fate in (*DECIDED, UNKNOWN, NOT_ATTRIBUTED)
    ]
    whole = Sum(
        requests=total.requests, cost=total.cost, untracked=total.untracked, **total.doubts()._asdict()
    )
    totals = {"lines": sum(lines.values()), "share": 1.0}
    return Answer("fate", [row for row in rows if row["spent_usd"] or row["lines"]], whole, whole=totals)


# -- turns -------------------------------------------------------------------------------------------------------


def turns_of(asker: Asker, start: float, end: float, reading: Reading) -> dict[Turn, Money]:
    """What each turn cost, of what the filter lets through."""
    places = spans.places(asker.db)
    money_by_turn: dict[Turn, Money] = {}
    last: dict[int, str | None] = {}  # session → the folder of its last response so far

    def add(session: int, at: float, money: Money) -> None:
        turn = reading.turn(session, at)
        money_by_turn[turn] = money_by_turn.get(turn, Money()).plus(money)

    for one in spans.responses(asker.db, (start, end)):
        facts = asker.facts[one.session]
        place = places.get(one.place) or Place(facts.cwd, facts.branch)
        last[one.session] = place.cwd
        if one.session in asker.allowed and asker.is_in_project(place.cwd):
            add(one.session, one.at, Money(one.cost, 0, 1, *one.doubts))
    for call in pull_requests.side_calls(asker.db, start, end):
        cwd = last.get(call.session, asker.facts[call.session].cwd)
        if call.session in asker.allowed and asker.is_in_project(cwd):
            add(call.session, call.at, Money(untracked=call.picodollars))
    return money_by_turn


def _parts(
    turn: Turn, fates: Mapping[Turn, Counter[Fate]], asker: Asker, reading: Reading
) -> Mapping[Fate, int]:
    """How many lines of a turn had which fate."""
    if turn in fates:
        return fates[turn]
    has_record = turn[0] in reading.seen and asker.facts[turn[0]].provider in CLIENTS
    return {(NOT_ATTRIBUTED, "") if has_record else (UNKNOWN, NO_RECORD): 1}


def _divided(money: Money, parts: Mapping[Fate, int]) -> Iterable[tuple[Fate, Money]]:
    """A turn's numbers in proportion to whole numbers of lines; nothing is lost to rounding.

    A part of a lower bound is one too, so each part has at least one of the requests in doubt.
    """
    whole, before = sum(parts.values()), 0
    for fate, lines in sorted(parts.items()):
        after = before + lines
        part = Money(*(value * after // whole - value * before // whole for value in money))
        yield fate, part.doubted(Doubts(*(-(-value * lines // whole) for value in money.doubts())))
        before = after


# -- files -------------------------------------------------------------------------------------------------------


def _fates(written: list[Written], progress: Progress, errors: dict[str, str]) -> dict[Turn, Counter[Fate]]:
    """The fates of the lines of each turn. `errors` gets working tree, or folder → why git could not say it."""
    trees = _Trees(min((one.at for one in written), default=0.0), errors)
    files: dict[File | str, list[int]] = {}
    for number, one in enumerate(written):
        files.setdefault(trees.file(one), []).append(number)
    fates_by_turn: dict[Turn, Counter[Fate]] = {}

    def keep(edit: int, fate: Fate) -> None:
        fates_by_turn.setdefault(written[edit].turn, Counter())[fate] += 1

    for reason in (NO_REPOSITORY, TOO_LONG, FAILED):
        for number in files.pop(reason, []):
            for _ in written[number].lines:
                keep(number, (UNKNOWN, reason))
    in_trees = [(file, edits) for file, edits in files.items() if not isinstance(file, str)]
    trees.prepare()
    with ThreadPoolExecutor(PROGRAMS) as pool:
        asked = pool.map(lambda item: trees.fates(item[0], _lines(written, item[1])), in_trees)
        for done, fates in enumerate(asked, 1):
            progress(done, len(in_trees))
            for edit, fate in fates:
                keep(edit, fate)
    return fates_by_turn


def _lines(written: list[Written], edits: list[int]) -> list[Line]:
    return [Line(edit, number, written[edit].at) for edit in edits for number in written[edit].lines]


class _Trees:
    """The repositories that files lie in. `errors`: working tree, or folder → why git could not say something."""

    def __init__(self, since: float, errors: dict[str, str]) -> None:
        self._since, self._errors = since, errors
        self._until = time.monotonic() + SECONDS_MAX
        # folder → (git folder, root), else why there is none
        self._places: dict[str, tuple[str, str] | str] = {}
        self._tops: dict[str, list[str]] = {}
        self._trees: dict[str, Tree] = {}

    def file(self, one: Written) -> File | str:
        """Where a file lies in which repository; else the reason why that is unknown."""
        file = os.path.normpath(one.path)
        folder = os.path.dirname(file)
        if not os.path.isabs(folder) or not (os.path.isdir(folder) or os.path.isdir(one.folder)):
            return NO_REPOSITORY
        while folder != os.path.dirname(folder) and not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        if folder not in self._places:
            self._places[folder] = self._place(folder)
        place = self._places[folder]
        if isinstance(place, str):
            return place
        common, top = place
        path = os.path.join(os.path.realpath(folder), os.path.relpath(file, folder))
        return common, os.path.relpath(path, top)

    def _place(self, folder: str) -> tuple[str, str] | str:
        try:
            top = git.toplevel(folder)
            if top is None:
                return NO_REPOSITORY
            common = os.fsdecode(git.sure(folder, "rev-parse", "--git-common-dir")).removesuffix("\n")
        except git.UNKNOWN as error:
            self._errors[folder] = str(error)
            return TOO_LONG if isinstance(error, git.TooLongError) else FAILED
        common = os.path.realpath(os.path.join(folder, common))
        if common not in self._tops and len(self._tops) >= REPOSITORIES_MAX:
            self._errors[top] = f"git is asked for {REPOSITORIES_MAX} repositories"
            return FAILED
        tops = self._tops.setdefault(common, [])
        if top not in tops:
            tops.append(top)
        return common, top

    def prepare(self) -> None:
        self._trees = {common: Tree(tops, self._since) for common, tops in self._tops.items()}

    def fates(self, file: File, lines: list[Line]) -> list[tuple[int, Fate]]:
        """(edit, fate) of each line of one file. What is wrong with one repository leaves the others alone."""
        if time.monotonic() > self._until:
            return [(line.edit, (UNKNOWN, TOO_LONG)) for line in lines]
        tree = self._trees[file[0]]
        try:
            fates = survival.fates(lines, tree.word(file[1]), lambda: tree.added(file[1]))
        except git.TooLongError as error:
            self._errors[tree.tops[0]] = str(error)
            return [(line.edit, (UNKNOWN, TOO_LONG)) for line in lines]
        except (git.FailedError, ValueError, LookupError, OSError) as error:
            self._errors[tree.tops[0]] = str(error)
            return [(line.edit, (UNKNOWN, FAILED)) for line in lines]
        if tree.error:
            self._errors[tree.tops[0]] = tree.error
        return [(edit, (fate, FAILED if fate == UNKNOWN else "")) for edit, fate in fates]


# -- rows --------------------------------------------------------------------------------------------------------


def _row(
    fate: str, shares: Mapping[Fate, Money], lines: Counter[Fate], total: Money, errors: list[str]
) -> Row:
    share = Money()
    for (name, _), part in shares.items():
        share = share.plus(part) if name == fate else share
    whole, spent = total.cost + total.untracked, share.cost + share.untracked
    return {
        "fate": fate,
        "lines": sum(count for (name, _), count in lines.items() if name == fate) or None,
        "requests": share.requests,
        "cost_usd": usd(share.cost),
        "untracked_usd": usd(share.untracked),
        "spent_usd": usd(spent),
        "share": spent / whole if whole else None,
        **share.doubts()._asdict(),
        **{key: _usd(shares.get((fate, reason))) for reason, key in REASONS.items()},
        "git_errors": errors,
    }


def _usd(money: Money | None) -> float | None:
    return None if money is None else usd(money.cost + money.untracked)


def notes(rows: list[Row], money_of: Callable[[float, Row], str]) -> list[str]:
    """Why a part is unknown, a line for each reason."""
    return [
        f"  unknown: {money_of(row[key], row)}, {reason}"
        for row in rows
        for reason, key in REASONS.items()
        if row[key] is not None
    ]
