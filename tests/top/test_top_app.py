"""Every key of the full-screen table does what the help says, and so does the mouse."""

import asyncio
import json
import os
import shutil
import time

import pytest
from golden import states
from support.top_app import NOW, Choices, busy, press, publish, run, screen, until

from aitop.system import local_zone
from aitop.top import keys, plain
from aitop.top.widgets import dialogs


@pytest.fixture
def home(tmp_path, monkeypatch):
    path = str(tmp_path / "h")
    monkeypatch.setenv("AITOP_HOME", path)
    monkeypatch.chdir(tmp_path)
    return path


def rows(app):
    return [key.split("\t")[1][-1] for key in app.picture.keys]


@pytest.mark.parametrize(
    ("key", "view"), [("1", "overview"), ("2", "sessions"), ("3", "tools"), ("4", "models"), ("5", "history")]
)
def test_a_number_shows_its_view(home, key, view):
    app, text = press(home, key)
    assert app.choices.view == view
    assert keys.TITLES[view] in text.splitlines()[0]


def test_tab_and_shift_tab_go_round_the_views(home):
    app, _ = press(home, "tab", "tab")
    assert app.choices.view == "tools"
    app, _ = press(home, "shift+tab")
    assert app.choices.view == "history"


@pytest.mark.parametrize("key", ["q", "f10", "ctrl+c"])
def test_leaving(home, key):
    app, _ = press(home, key)
    assert app.return_value == 0


@pytest.mark.parametrize("key", ["question_mark", "f1", "h"])
def test_help_lists_every_key_of_the_one_table(home, key):
    async def steps(app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, dialogs.Help)
        await pilot.press("escape")
        await pilot.pause()
        assert not app.screen.is_modal

    run(home, steps, busy())
    text = "\n".join(dialogs.help_lines(80))
    assert all(one.shown in text and one.meaning in text for one in keys.KEYS)


def test_help_fits_a_narrow_terminal_by_scrolling(home):
    _, text = press(home, "question_mark", size=(40, 12))
    assert "Everywhere" in text


def test_every_key_is_bound_to_a_deed(home):
    app, _ = press(home)
    bound = set(app.pane._bindings.key_to_bindings)
    for one in keys.KEYS:
        assert set(one.keys.replace("plus", "plus").split(",")) <= bound


def test_arrows_and_letters_move_the_cursor(home):
    app, _ = press(home, "2", "a", "a", "down", "j", "up")
    assert app.choices.cursor["sessions"].endswith("2")
    app, _ = press(home, "2", "a", "a", "end")
    assert app.choices.cursor["sessions"].endswith("4")
    app, _ = press(home, "2", "a", "a", "G", "g")
    assert app.choices.cursor["sessions"].endswith("1")
    app, _ = press(home, "2", "a", "a", "pagedown", "k")
    assert app.choices.cursor["sessions"].endswith("3")
    for back in ("pageup", "ctrl+b"):
        app, _ = press(home, "2", "a", "a", "ctrl+f", back)
        assert app.choices.cursor["sessions"].endswith("1")


def test_a_page_scrolls_where_it_does_not_fit(home):
    async def steps(app, pilot):
        await pilot.press("enter")
        await pilot.pause()
        assert app.choices.view == "detail"
        await pilot.press("end")
        await pilot.pause()
        assert app.pane.scroll_offset.y > 0
        await pilot.press("home")
        await pilot.pause()
        assert app.pane.scroll_offset.y == 0

    run(home, steps, busy(), size=(40, 12))


def test_idle_and_ended_sessions_come_on_demand(home):
    app, text = press(home, "2")
    assert rows(app) == ["1", "2"]
    assert "2 more: a" in text
    assert rows(press(home, "2", "a")[0]) == ["1", "2", "3"]
    assert rows(press(home, "2", "a", "a")[0]) == ["1", "2", "3", "4"]
    assert rows(press(home, "2", "a", "a", "a")[0]) == ["1", "2"]


def test_sorting_by_keys(home):
    app, _ = press(home, "2", "greater_than_sign")
    assert app.choices.sorting["sessions"].column == "requests"
    app, _ = press(home, "2", "less_than_sign")
    assert app.choices.sorting["sessions"].column == "duration"
    app, _ = press(home, "2", "f6", "r")
    assert not app.choices.sorting["sessions"].descending
    app, _ = press(home, "2", "r")
    assert rows(app) == ["2", "1"]
    app, _ = press(home, "2", "I")
    assert rows(app) == ["2", "1"]


def test_the_mouse_sorts_selects_opens_and_changes_views(home):
    async def steps(app, pilot):
        line = screen(app).splitlines()[0]
        await pilot.click("#top", offset=(line.index("2 Sessions") + 2, 0))
        await pilot.pause()
        assert app.choices.view == "sessions"
        head = screen(app).splitlines()[2]
        await pilot.click("#head", offset=(head.index("SPENT"), 1))
        await pilot.pause()
        assert rows(app) == ["2", "1"]
        await pilot.click("#pane", offset=(20, 1))
        await pilot.pause()
        assert app.choices.cursor["sessions"].endswith("1")
        await pilot.click("#pane", offset=(40, 1))
        await pilot.pause()
        assert app.choices.view == "detail"
        foot = screen(app).splitlines()[-1]
        await pilot.click("#bottom", offset=(foot.index("Back"), 0))
        await pilot.pause()
        assert app.choices.view == "sessions"

    run(home, steps, busy())


@pytest.mark.parametrize("key", ["slash", "f3", "f4"])
def test_the_filter_works_while_typing_and_escape_drops_it(home, key):
    async def steps(app, pilot):
        await pilot.press("2", key, "d", "o")
        await pilot.pause()
        assert rows(app) == ["2"]
        await pilot.press("c", "enter")
        await pilot.pause()
        assert app.choices.filters["sessions"] == "doc"
        assert "filter: doc" in screen(app)
        await pilot.press("escape")
        await pilot.pause()
        assert rows(app) == ["1", "2"]
        await pilot.press(key, "z", "q")
        await pilot.pause()
        assert "Nothing matches the filter" in screen(app)
        await pilot.press("escape")
        await pilot.pause()
        assert rows(app) == ["1", "2"]
        assert app.focused is app.pane

    run(home, steps, busy())


def test_enter_opens_a_session_and_escape_closes_it(home):
    app, text = press(home, "2", "down", "enter")
    assert app.choices.view == "detail"
    assert "fix/typo" in text
    assert "by the client" in text
    app, _ = press(home, "2", "enter", "escape")
    assert app.choices.view == "sessions"
    app, _ = press(home, "2", "enter", "backspace")
    assert app.choices.view == "sessions"


def alarmed(sessions=True):
    """Two active sessions, or none, and two alerts."""
    state = busy()
    texts = {
        "warning": "shop waits for 4 minutes",
        "critical": "docs spent $30.00 today, its budget is $25.00",
    }
    state["alerts"] = [
        {"id": level, "level": level, "since": NOW, "text": text} for level, text in texts.items()
    ]
    if not sessions:
        state["sessions"] = []
    return state


@pytest.mark.parametrize("up", ["up", "k"])
@pytest.mark.parametrize("sessions", [True, False])
def test_up_from_the_first_session_reaches_the_alerts_and_enter_lists_them(home, up, sessions):
    async def steps(app, pilot):
        assert "▸▲" not in screen(app)
        await pilot.press(up)
        await pilot.pause()
        assert "▸▲ 2 alerts: docs spent" in screen(app)
        assert "(Enter lists them)" in screen(app)
        assert " Enter Alerts " in screen(app).splitlines()[-1]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, dialogs.Alerts)
        assert all(f"{row['text']}" in screen(app) for row in alarmed()["alerts"])
        await pilot.press("escape")
        await pilot.pause()
        assert not app.screen.is_modal
        assert app.choices.view == "overview"
        assert "▸▲" not in screen(app)
        await pilot.press("enter")
        await pilot.pause()
        assert (app.choices.view == "detail") == sessions

    run(home, steps, alarmed(sessions))


@pytest.mark.parametrize("leave", ["down", "j", "escape", "home"])
def test_the_alerts_are_left_for_the_first_session(home, leave):
    app, text = press(home, "up", "up", leave, state=alarmed())
    assert app.choices.cursor["overview"].endswith("1")
    assert "▸▲" not in text
    assert " Enter Open " in text.splitlines()[-1]


def test_a_click_on_a_session_leaves_the_alerts_and_opens_nothing_yet(home):
    async def steps(app, pilot):
        await pilot.press("up")
        await pilot.click("#pane", offset=(40, 0))
        await pilot.pause()
        assert app.choices.view == "overview"
        assert app.choices.cursor["overview"].endswith("1")

    run(home, steps, alarmed())


def test_no_key_of_a_session_acts_from_the_alerts(home):
    async def steps(app, pilot):
        await pilot.press("up", "y", "space")
        await until(pilot, lambda: any("No session is selected" in n.message for n in app._notifications))
        assert not app.clipboard
        assert not app.choices.unfolded

    run(home, steps, alarmed())


def test_alerts_that_end_give_the_cursor_back(home):
    async def steps(app, pilot):
        await pilot.press("up")
        publish(home, busy() | {"alerts": []})
        await until(pilot, lambda: "▲ 2 alerts" not in screen(app))
        assert app.choices.cursor["overview"].endswith("1")

    run(home, steps, alarmed())


def test_up_stays_on_the_first_session_where_nothing_is_alerted(home):
    app, _ = press(home, "up", state=busy() | {"alerts": []})
    assert app.choices.cursor["overview"].endswith("1")


@pytest.mark.parametrize("key", ["space", "right", "plus"])
def test_a_session_unfolds_and_folds(home, key):
    app, _ = press(home, "2", key)
    assert len(app.choices.unfolded) == 1
    for back in ("left", "minus"):
        app, _ = press(home, "2", key, back)
        assert not app.choices.unfolded


@pytest.mark.parametrize("key", ["e", "f5"])
def test_all_sessions_unfold_and_fold(home, key):
    app, _ = press(home, "2", key)
    assert [k[-1] for k in app.choices.unfolded] == ["1"]
    app, _ = press(home, "2", key, key)
    assert not app.choices.unfolded


def test_t_changes_the_span_of_models(home):
    app, _ = press(home, "4", "t", "t")
    assert app.choices.span == "month"


def test_c_goes_through_the_themes_and_no_color_has_none(home, monkeypatch):
    app, _ = press(home, "c", "c")
    assert app.choices.theme == "terminal"
    app, _ = press(home, "c", "c", "c")
    assert app.choices.theme == "contrast"
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = press(home, "c")
    assert app.choices.theme == "mono"


@pytest.mark.parametrize("theme", ["dark", "light", "terminal", "contrast"])
def test_every_theme_draws_dialogs_and_the_filter_too(home, theme):
    press(
        home,
        "2",
        "question_mark",
        "escape",
        "slash",
        "d",
        "escape",
        "E",
        "escape",
        choices=Choices(theme=theme),
    )


def test_pause_holds_the_numbers_and_goes_on(home):
    async def steps(app, pilot):
        await pilot.press("p")
        state = busy()
        state["active_sessions"] = 7
        publish(home, state)
        app.look()
        assert app.feed.state["active_sessions"] == 7
        await pilot.pause()
        assert "paused" in screen(app)
        assert "7 active" not in screen(app)
        await pilot.press("p")
        await pilot.pause()
        assert "7 active" in screen(app)

    run(home, steps, busy())


def test_y_copies_the_id(home):
    app, _ = press(home, "2", "y")
    assert app.clipboard == "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize("key", ["i", "x", "f9"])
def test_a_session_without_a_known_process_cannot_be_ended(home, key):
    async def steps(app, pilot):
        await pilot.press("2", "down", key)
        await until(pilot, lambda: any("process is not known" in note.message for note in app._notifications))

    run(home, steps, busy())


def test_export_writes_what_is_shown(home, tmp_path):
    async def steps(app, pilot):
        await pilot.press("2", "E")
        await until(pilot, lambda: isinstance(app.screen, dialogs.Ask))
        app.screen.query_one("Input").value = str(tmp_path / "rows.json")
        await pilot.press("enter")
        await until(pilot, lambda: any("Wrote" in note.message for note in app._notifications))

    run(home, steps, busy())
    with open(tmp_path / "rows.json") as file:
        found = json.load(file)
    assert [row["project"] for row in found] == ["shop", "docs"]
    assert found[0]["cost"] == 1.5


def test_export_never_overwrites(home, tmp_path):
    (tmp_path / "rows.csv").write_text("mine")

    async def steps(app, pilot):
        await pilot.press("3", "E")
        await until(pilot, lambda: isinstance(app.screen, dialogs.Ask))
        app.screen.query_one("Input").value = str(tmp_path / "rows.csv")
        await pilot.press("enter")
        await until(pilot, lambda: any("exists" in note.message for note in app._notifications))

    run(home, steps, busy())
    assert (tmp_path / "rows.csv").read_text() == "mine"


def test_o_without_a_history_says_why(home):
    async def steps(app, pilot):
        await pilot.press("2", "o")
        await until(
            pilot, lambda: any("history cannot be read" in note.message for note in app._notifications)
        )

    run(home, steps, busy())


def test_tagging_without_a_listener_says_what_to_do(home):
    async def steps(app, pilot):
        await pilot.press("2", "T")
        await until(pilot, lambda: isinstance(app.screen, dialogs.Ask))
        await pilot.press("a", "b", "enter")
        await until(pilot, lambda: any("aitop start" in note.message for note in app._notifications))

    run(home, steps, busy())


def test_s_starts_the_listener(home, monkeypatch):
    from aitop.listener import lifecycle

    monkeypatch.setattr(lifecycle, "start_detached", lambda: True)

    async def steps(app, pilot):
        await pilot.press("S")
        await until(pilot, lambda: any("Started the listener" in note.message for note in app._notifications))

    run(home, steps, busy())


def test_a_listener_that_the_user_stopped_is_not_started_by_looking(home):
    async def steps(app, pilot):
        await until(pilot, lambda: any("aitop start" in note.message for note in app._notifications))
        assert "no numbers published yet" in screen(app)

    run(home, steps)


def test_missing_numbers_come_by_themselves(home):
    async def steps(app, pilot):
        assert "Waiting: no numbers published yet" in screen(app)
        publish(home, busy())
        await until(pilot, lambda: "2 active" in screen(app))
        assert "Waiting" not in screen(app)

    run(home, steps)


def test_old_numbers_are_called_old_until_new_ones_come(home):
    moment = [NOW]

    async def steps(app, pilot):
        assert "OLD NUMBERS" not in screen(app)
        moment[0] = NOW + 25
        await until(
            pilot, lambda: "OLD NUMBERS: these numbers are 25s old; the listener has stopped" in screen(app)
        )
        publish(home, busy() | {"written_at": NOW + 25})
        await until(pilot, lambda: "OLD NUMBERS" not in screen(app))

    run(home, steps, busy(), clock=lambda: moment[0])


def test_the_clock_follows_a_zone_that_changes(home, tmp_path, monkeypatch):
    file = tmp_path / "zone"
    shutil.copy(f"{local_zone.ZONES}/Etc/UTC", file)
    monkeypatch.setenv("TZ", f":{file}")
    time.tzset()
    clock = {
        zone: f"{(NOW + hours * 3600) // 3600 % 24:02.0f}:" for zone, hours in (("UTC", 0), ("GMT-5", 5))
    }

    async def steps(app, pilot):
        assert f" {clock['UTC']}" in screen(app)
        shutil.copy(f"{local_zone.ZONES}/Etc/GMT-5", f"{file}.new")
        os.replace(f"{file}.new", file)
        await until(pilot, lambda: f" {clock['GMT-5']}" in screen(app))

    try:
        run(home, steps, busy())
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_state_half_a_version_newer_is_shown_with_a_note(home):
    extra = busy() | {"version": 1.5, "something_new": {"a": 1}}
    _, text = press(home, state=extra)
    assert "newer than this table" in text
    assert "$6.00/h 5m" in text


def test_a_state_of_another_version_is_not_shown_and_recovers(home):
    async def steps(app, pilot):
        assert "publishes version 2" in screen(app)
        assert "$6.00/h 5m" not in screen(app)
        publish(home, busy())
        await until(pilot, lambda: "$6.00/h 5m" in screen(app))

    run(home, steps, busy() | {"version": 2})


def cut_short(home):
    with open(os.path.join(home, "state.json"), "w") as file:
        file.write('{"version": 1, "written')


def test_broken_bytes_keep_the_last_picture(home):
    async def steps(app, pilot):
        cut_short(home)
        app.look()
        await pilot.pause()
        assert "2 active" in screen(app)

    run(home, steps, busy())


def test_the_cursor_stays_with_its_session_when_others_come(home):
    async def steps(app, pilot):
        await pilot.press("2", "down")
        state = busy()
        state["sessions"].insert(0, states.session(9, project="new", last_activity_at=NOW))
        publish(home, state)
        await until(pilot, lambda: rows(app) == ["9", "1", "2"])
        assert app.choices.cursor["sessions"].endswith("2")

    run(home, steps, busy())


def test_only_lines_that_changed_are_drawn_again(home):
    async def steps(app, pilot):
        await pilot.pause()
        drawn = []
        app.pane.refresh = lambda *regions, **_: drawn.extend(regions)
        state = busy()
        state["sessions"][1]["requests"] += 1
        publish(home, state)
        await until(pilot, lambda: drawn)
        assert [region.y for region in drawn] == [1]
        del app.pane.refresh

    run(home, steps, busy(), choices=Choices(view="sessions"))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 50), (250, 80), (20, 5), (1, 1)])
@pytest.mark.parametrize("view", ["overview", "sessions", "tools", "models"])
def test_it_fits_any_terminal(home, size, view):
    _, text = press(home, size=size, choices=Choices(view=view))
    lines = text.splitlines()
    assert len(lines) <= size[1]


def test_it_follows_a_resize(home):
    async def steps(app, pilot):
        await pilot.resize_terminal(40, 12)
        await until(pilot, lambda: all(len(line) <= 40 for line in screen(app).splitlines()))
        await pilot.resize_terminal(200, 50)
        await until(pilot, lambda: "rolling windows" in screen(app))

    run(home, steps, busy())


def test_every_number_of_the_windows_is_that_of_once_json(home):
    """The screen against `aitop top --once --json` of the same state file."""
    state = busy()
    _, text = press(home, state=state, size=(200, 50))
    by_label = {row["metric"]: row for row in plain.rows(state)}
    named = {"spent/hour": "cost_usd_per_hour", "requests": "requests", "requests/min": "requests_per_minute",
             "errors": "errors",
             "error rate": "error_rate", "input": "input_tokens", "cache write": "cache_write_tokens",
             "cache read": "cache_read_tokens", "cache hits": "cache_hit_rate", "output": "output_tokens",
             "tokens/min": "tokens_per_minute", "spent": "cost_usd", "tool calls": "tool_calls",
             "failed tools": "tool_failures"}  # fmt: skip
    kinds = {key: kind for key, _, kind in plain.METRICS}
    lines = {line[1:15].strip(): line[15:50].split() for line in text.splitlines() if line.startswith("│ ")}
    for label, metric in named.items():
        wanted = [
            plain.shown(state, {metric: by_label[metric][name]}, metric, kinds[metric])
            for name in plain.WINDOWS
        ]
        found = next(values for name, values in lines.items() if name == label)
        assert found[-3:] == wanted, label


def test_nothing_is_left_running(home):
    press(home, "2", "enter")
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
