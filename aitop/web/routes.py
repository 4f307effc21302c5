"""What the server answers: pages, their files, the live stream, and JSON for each question."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from aitop import __version__, config, paths
from aitop.config import Config, ConfigError
from aitop.history import tags_file
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.web import assets
from aitop.web.answers import past, rows, session, timeline
from aitop.web.answers.asked import Asked
from aitop.web.answers.session import UnknownSessionError
from aitop.web.feed import Feed
from aitop.web.params import BadAddressError
from aitop.web.questions import BrokenError, NoHistoryError, Questions, TooLongError
from aitop.web.wire import encoded

QUICK_SECONDS, SLOW_SECONDS = 5.0, 60.0
PAGES = ("now", "timeline", "history", "limits", "advice", "compare", "rows")

Answer = Callable[[sqlite3.Connection, Asked], JsonObject]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Kind(NamedTuple):
    """One question: its function, and whether it may take long."""

    answer: Answer
    slow: bool = False


def _advice(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    from aitop.web.answers import advice  # loaded by the child that asks: the server never needs it

    return advice.advice(db, asked)


def _backtest(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    from aitop.web.answers import backtest  # the same

    return backtest.backtest(db, asked)


ANSWERS = {
    "history": Kind(past.history),
    "sessions": Kind(past.sessions),
    "session": Kind(session.session),
    "rows": Kind(rows.rows),
    "timeline": Kind(timeline.timeline),
    "commits": Kind(timeline.commits, slow=True),
    "backtest": Kind(_backtest, slow=True),
    "advice": Kind(_advice, slow=True),
}


class Site:
    """The handlers, and what they ask."""

    def __init__(self, feed: Feed, quick: Questions, slow: Questions) -> None:
        self.feed, self._quick, self._slow = feed, quick, slow

    def add_to(self, app: web.Application) -> None:
        """The addresses."""
        app.router.add_get("/", _to_now)
        app.router.add_get("/events", self.events)
        app.router.add_get("/present", self.present)
        app.router.add_get("/api/{name}", self.api)
        app.router.add_get("/static/{name:.+}", _file)
        for page in PAGES:
            app.router.add_get(f"/{page}", _page)
        app.router.add_get("/session/{provider}/{id:.+}", _page)

    async def api(self, request: web.Request) -> web.Response:
        """The JSON of one question."""
        kind = ANSWERS.get(request.match_info["name"])
        if kind is None:
            return problem(404, "There is no such question.")
        try:
            asked = Asked(request.query, _config(), _tags(), time.time())
            questions = self._slow if kind.slow else self._quick
            body = await questions.ask(
                lambda db: encoded(kind.answer(db, asked)), SLOW_SECONDS if kind.slow else QUICK_SECONDS
            )
            return web.Response(body=body, content_type="application/json")
        except BadAddressError as error:
            return problem(400, str(error))
        except UnknownSessionError:
            return problem(404, "The history does not know this session.")
        except (NoHistoryError, ConfigError, OSError) as error:
            return problem(503, str(error))
        except TooLongError:
            return problem(503, "The answer took too long and was broken off. Pick a shorter span.")
        except BrokenError as error:
            return problem(500, f"This is a fault of aitop, please report it: {error}")

    async def present(self, _: web.Request) -> web.Response:
        """How old the live numbers are: what a tab asks when it has heard nothing for some seconds."""
        return web.Response(body=await self.feed.present(), content_type="application/json")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The live numbers, as server-sent events, for as long as the tab is open."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await response.write(b"retry: 1000\n\n")
        messages = self.feed.messages()
        try:
            async for message in messages:
                await response.write(message.encoded())
        except (ConnectionResetError, asyncio.CancelledError):
            pass
        finally:
            await messages.aclose()
        return response


def problem(status: int, text: str) -> web.Response:
    """An answer that says what is wrong."""
    body: JsonObject = {"problem": text}
    return web.Response(status=status, body=encoded(body), content_type="application/json")


def _config() -> Config:
    """The configuration as it is now. Raises ConfigError."""
    settings = config.load()
    periods.begin_weeks_on(periods.WEEKDAYS[settings["week_start"]])
    return settings


def _tags() -> dict[str, str]:
    return tags_file.read(paths.home())


async def _to_now(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/now")


async def _page(_: web.Request) -> web.StreamResponse:
    return web.Response(body=assets.page(__version__), content_type="text/html", charset="utf-8")


async def _file(request: web.Request) -> web.StreamResponse:
    """One of the files of the pages; the browser asks each time whether it is still the same."""
    file = assets.FILES.get(request.match_info["name"])
    if file is None:
        return problem(404, "There is no such file.")
    if request.headers.get("If-None-Match") == file.tag:
        return web.Response(status=304, headers={"ETag": file.tag})
    return web.Response(body=file.data, content_type=file.media, charset="utf-8", headers={"ETag": file.tag})
