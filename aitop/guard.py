"""`aitop guard`: whether budgets and limits allow to go on, as an exit code for scripts and hooks.

Reads the published state and nothing else. `--hook` runs at every prompt or tool call of the client:
it imports no more than the status line does, ends in bounded time, and blocks only on fresh data that
say a budget is spent. Whatever goes wrong, the client goes on.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.model.json_types import JsonObject

OK, NEAR, OVER, NOT_RUNNING, NO_DATA = 0, 10, 11, 20, 30
BLOCK = 2  # what the client takes for "no, and here is why"
STDIN_SECONDS = 0.1
PERIOD_WORDS = {"day": "today", "week": "this week", "month": "this month", "session": "in one session"}
USAGE = """Usage: aitop guard [--budget NAME]... [--json | --quiet]
       aitop guard --hook < JSON

Whether budgets ([budgets.NAME] in the configuration) and official usage limits allow to go on.

Exit codes: 0 ok, 10 near (past a warning), 11 over, 20 no listener is running, 30 it has no data to
judge by (no budget and no limit, or its first reading is not done). 2 is wrong usage.
  --budget NAME   only this budget, and no limits; may be given again
  --json          what was judged, as JSON
  --quiet         the exit code alone

--hook is for Claude Code's UserPromptSubmit and PreToolUse hooks: exit code 2 with the reason on
stderr when a budget that covers the session is over, else 0; 0 too whenever there is no fresh data.
"""


def main(argv: list[str]) -> int:
    if argv[:1] in (["-h"], ["--help"]):
        from aitop.system import help_text

        sys.stdout.write(help_text.fitted(USAGE, help_text.columns()))
        return 0
    if "--hook" in argv:
        try:
            return hook()
        except BaseException:  # a guard that fails must not stop the client
            return 0
    names, quiet, as_json = [], False, False
    words = iter(argv)
    for word in words:
        name = next(words, None) if word == "--budget" else None
        if name is not None:
            names.append(name)
        elif word in ("--quiet", "-q"):
            quiet = True
        elif word == "--json":
            as_json = True
        else:
            from aitop.system import help_text

            hint = help_text.nearest(word, ("--budget", "--json", "--quiet", "--hook", "--help"))
            usage = help_text.fitted(USAGE, help_text.columns())
            sys.stderr.write(f"aitop guard: {word}: not understood{hint}\n{usage}")
            return 2
    if not as_json:
        _remember(names)
    return _report(names, quiet=quiet, as_json=as_json)


def hook() -> int:
    """The client's hook: 2 when a budget that covers this session is over."""
    import json
    import time

    from aitop import hook as forwarder
    from aitop import state

    try:
        forwarder.start_timer(STDIN_SECONDS)
        payload = forwarder.read_all(0) or b""
    except forwarder.Late:
        payload = b""
    finally:
        forwarder.stop_timer()
    try:
        payload_fields = json.loads(payload)
    except (ValueError, RecursionError):
        payload_fields = None
    session = payload_fields.get("session_id") if isinstance(payload_fields, dict) else None
    published = state.read()
    if published is None or not state.is_fresh(published, time.time()):
        return 0
    for row in spent(published, session if isinstance(session, str) else None):
        sys.stderr.write(reason(published, row) + "\n")
        return BLOCK
    return 0


def spent(state: "JsonObject", session: str | None) -> "list[JsonObject]":
    """The budgets that are over and cover a session."""
    spent_rows = []
    for row in _rows(state.get("budgets")):
        ids = row.get("session_ids")
        if row.get("over") is not True and row.get("period") != "session":
            continue
        if ids is None or (isinstance(ids, list) and session in ids):
            spent_rows.append(row)
    return spent_rows


def reason(state: "JsonObject", row: "JsonObject") -> str:
    """Why, in one line, and what to do."""
    from aitop.segments import money
    from aitop.segments.text import clean

    name = clean(row.get("name"), 40)
    limit = money.of(state, row.get("limit_usd"))
    if row.get("period") == "session":
        return f"aitop: this session has spent its budget {name} of {limit}; start another, or raise [budgets.{name}]"
    used = money.of(state, row.get("used_usd"), row)
    span = PERIOD_WORDS.get(str(row.get("period")), "")
    return f"aitop: budget {name} is over: {used} of {limit} {span}; raise [budgets.{name}] to go on"


def judge(state: "JsonObject | None", now: float, names: list[str]) -> "tuple[int, list[JsonObject]]":
    """The exit code, and every budget and limit it is made of."""
    from aitop import state as published

    if state is None or not published.is_fresh(state, now):
        return NOT_RUNNING, []
    judged = []
    for row in _rows(state.get("budgets")):
        if not names or row.get("name") in names:
            level = "over" if row.get("over") is True else "ok" if row.get("level") == "ok" else "near"
            judged.append({"kind": "budget", "verdict": level, **row})
    if not names:
        judged += _limits(state, now)
    scan = state.get("scan")
    complete = not isinstance(scan, dict) or scan.get("complete") is not False
    if any(row["verdict"] == "over" for row in judged):
        return OVER, judged
    if not judged or not complete:
        return NO_DATA, judged
    return (NEAR if any(row["verdict"] == "near" for row in judged) else OK), judged


def _limits(state: "JsonObject", now: float) -> "list[JsonObject]":
    """Official limits in force. An estimated limit never stops anything."""
    from aitop.segments import fields
    from aitop.segments.humanize import number

    limit_rows = []
    for row in _rows(state.get("limits")):
        used, resets = number(row.get("used_percent")), number(row.get("resets_at"))
        if (
            used is None
            or used > 101
            or row.get("estimated") is True
            or (resets is not None and resets <= now)
        ):
            continue
        level = fields.level_of(used, fields.bounds(state, "limit"))
        verdict = "over" if used >= 100 else "near" if level else "ok"
        limit_rows.append({"kind": "limit", "verdict": verdict, **row})
    return limit_rows


def lines(state: "JsonObject", judged: "list[JsonObject]") -> list[str]:
    """Each budget and limit in words."""
    from aitop.segments import humanize, money
    from aitop.segments.text import clean

    texts = []
    for row in judged:
        share = humanize.percent(row.get("percent", row.get("used_percent")))
        what = f"{row['kind']} {clean(row.get('name'), 40)}"
        if row["kind"] == "budget":
            used, limit = money.of(state, row.get("used_usd"), row), money.of(state, row.get("limit_usd"))
            what += f": {used} of {limit} {PERIOD_WORDS.get(str(row.get('period')), '')}"
        texts.append(f"{row['verdict']:<5} {what} ({share})")
    return texts


def prepared(state: "JsonObject", now: float, argv: list[str]) -> str | None:
    """What the sh front answers with: `CODE HOOK`, then the lines. None for what only this program answers.

    HOOK is `go` while no budget can block any session, so that the client's hook need not look at its input.
    """
    names = [word for word in argv if word != "--budget"]
    if any(word.startswith("-") for word in names) or len(argv) != 2 * len(names):
        return None
    code, judged = judge(state, now, names)
    blocking = any(
        row.get("over") is True or row.get("period") == "session" for row in _rows(state.get("budgets"))
    )
    if code in (NOT_RUNNING, NO_DATA):
        return f"{code} {'ask' if blocking else 'go'}"
    return "\n".join([f"{code} {'ask' if blocking else 'go'}", *lines(state, judged)])


def _report(names: list[str], *, quiet: bool, as_json: bool) -> int:
    import json
    import time

    from aitop import state as published

    state = published.read()
    code, judged = judge(state, time.time(), names)
    if as_json:
        _put(json.dumps({"exit_code": code, "judged": judged}, indent=1))
    elif not quiet:
        shown = lines(state or {}, judged)
        if shown:
            _put("\n".join(shown))
        if code == NOT_RUNNING:
            sys.stderr.write("no listener is running: `aitop start`\n")
        elif code == NO_DATA:
            sys.stderr.write(
                "nothing to judge by: name a budget in the configuration (`aitop config --defaults`)\n"
            )
    return code


def _put(text: str) -> None:
    """Print in UTF-8, whatever the terminal's encoding is."""
    os.write(1, f"{text}\n".encode("utf-8", "replace"))


def _remember(names: list[str]) -> None:
    """From now on the listener prepares the answer."""
    from aitop.segments import asked

    name = asked.name_of("guard", [word for name in names for word in ("--budget", name)], plain=False)
    if names and name is not None:
        asked.remember(name)


def _rows(value: object) -> "list[JsonObject]":
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


if __name__ == "__main__":
    # Under -I -S neither the script's folder nor site-packages is on the path.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
