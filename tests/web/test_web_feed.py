"""The live numbers: one watcher for all tabs, and a message only where something is new."""

import asyncio
import json
import os
import time

import pytest
from golden import states

from aitop.web.feed import LOOK_SECONDS, Feed

pytestmark = pytest.mark.slow
NOW = 1_790_000_000.0


def publish(home, state, at=NOW):
    path = os.path.join(home, "state.json")
    with open(path + ".new", "w") as file:
        json.dump(state | {"written_at": at}, file)
    os.utime(path + ".new", (at, at))
    os.replace(path + ".new", path)


class Tab:
    """Collects what one tab is sent."""

    def __init__(self, feed):
        self.got = []
        self._messages = feed.messages()
        self._task = asyncio.create_task(self._read())

    async def _read(self):
        async for message in self._messages:
            self.got.append((message.name, json.loads(message.data)))

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._messages.aclose()


async def moments(many=3):
    for _ in range(many):
        await asyncio.sleep(0.25)


def test_a_tab_is_sent_the_present_and_then_only_what_is_new(home):
    async def run():
        publish(home, states.api())
        tab = Tab(Feed(lambda: NOW))
        await moments()
        assert [name for name, _ in tab.got] == ["state"]
        os.utime(
            os.path.join(home, "state.json"), (NOW + 2, NOW + 2)
        )  # the listener renews an unchanged state
        await moments()
        publish(home, states.api(), NOW + 3)  # the same numbers, written again
        await moments()
        assert len(tab.got) == 1
        publish(home, states.api() | {"active_sessions": 9}, NOW + 4)
        await moments()
        assert [name for name, _ in tab.got] == ["state", "state"]
        assert tab.got[-1][1]["active_sessions"] == 9
        await tab.close()

    asyncio.run(run())


def test_however_many_tabs_look_on_the_file_is_looked_at_once(home):
    async def run():
        feed = Feed(lambda: NOW)
        began = time.monotonic()
        tabs = [Tab(feed) for _ in range(30)]
        await moments(4)
        for tab in tabs:
            assert [name for name, _ in tab.got] == ["state"]
            await tab.close()
        seen = feed.looks
        assert (
            seen <= (time.monotonic() - began) / LOOK_SECONDS + 2
        )  # thirty watchers would look thirty times as often
        await moments(2)
        assert feed.looks == seen  # no tab, no look

    publish(home, states.api())
    asyncio.run(run())


def test_numbers_that_became_old_are_said_to_be_and_so_is_their_return(home):
    async def run():
        now = [NOW]
        publish(home, states.api())
        tab = Tab(Feed(lambda: now[0]))
        await moments(2)
        now[0] = NOW + 11
        await moments(2)
        now[0] = NOW + 60  # still old: nothing new to say
        await moments(2)
        publish(home, states.api(), NOW + 60)
        await moments(2)
        await tab.close()
        assert tab.got[1:] == [("stale", {"why": "stopped", "written_at": NOW}),
                               ("fresh", {"why": "", "written_at": NOW + 60})]  # fmt: skip

    asyncio.run(run())


def test_a_tab_that_comes_later_is_told_the_same(home):
    async def run():
        publish(home, states.api(), NOW - 100)
        feed = Feed(lambda: NOW)
        first = Tab(feed)
        await moments(2)
        second = Tab(feed)
        await moments(2)
        assert second.got == first.got
        assert [name for name, _ in second.got] == ["state", "stale"]
        await first.close()
        await second.close()

    asyncio.run(run())


def test_a_state_that_is_missing_damaged_or_of_another_version_is_never_shown_as_present(home):
    async def last():
        tab = Tab(Feed(lambda: NOW))
        await moments(2)
        await tab.close()
        return tab.got[-1]

    def why(content):
        if isinstance(content, bytes):
            with open(os.path.join(home, "state.json"), "wb") as file:
                file.write(content)
        elif content is not None:
            publish(home, content, content.get("written_at", NOW))
        return asyncio.run(last())

    assert why(None) == ("stale", {"why": "none", "written_at": None})
    assert why(b'{"version": 1, "wri') == ("stale", {"why": "none", "written_at": None})
    assert why(states.api() | {"version": 2, "written_at": NOW})[1]["why"] == "version"
    assert why(states.api() | {"written_at": NOW + 100})[1]["why"] == "future"
