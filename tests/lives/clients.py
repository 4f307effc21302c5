"""Four clients as they write: each step changes files, and books in the ledger what it means."""

import json
import os
import shutil
from pathlib import Path

from support import codex_records as codex
from support import copilot_records as copilot
from support import opencode_records as opencode
from support.lines import START, assistant, encode, stamp, usage, user

from .ledger import File, Use, Version

CLAUDE_MODELS = ("claude-opus-4-6", "claude-haiku-4-5")
FOLDERS = ("/work/shop", "/work/shop/ui", "/work/日本語")


def line(record):
    return encode([record])


class Claude:
    """Transcripts: answers in several lines, sub-agents, torn and spliced lines, forks, copies, cleared sessions."""

    name = "claude-code"

    def __init__(self, root, ledger, chance):
        self.root, self.ledger, self.chance = os.path.join(root, "claude"), ledger, chance
        self.count = 0
        self.files = {}  # path → File
        self.whole = {}  # path → the records of its whole lines
        self.open = {}  # path → a call of which the first line stands, and its last is to come
        self.torn = {}  # path → the rest of a line of which a part stands
        self.booked = {}  # path → [(model, name, version, paying)]
        self.made = {}  # name of a call → the session that made it

    def start(self, at, first_at=None):
        """A new session, as at the beginning or after /clear; its path."""
        self.count += 1
        session = f"{self.count:08d}-2222-4333-8444-{self.chance.randrange(10**12):012d}"
        path = os.path.join(self.root, "projects", f"-work-{self.chance.randrange(3)}", f"{session}.jsonl")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._begin(path, session, first_at or at)
        self._write(path, user(at=at, session=session), at)
        return path

    def step(self, at):
        """Something that a user or the client does."""
        main = [path for path in self.files if "subagents" not in path]
        if not main or self.chance.random() < 0.1:
            self.start(at)
            return
        path = self.chance.choice(list(self.files) if self.chance.random() < 0.3 else main)
        deed = self.chance.choice(
            (self.answer, self.answer, self.answer, self.begin, self.tear, self.splice, self.agent, self.fork,
             self.copy, self.nulls)
        )  # fmt: skip
        deed(path, at)

    def answer(self, path, at):
        """A call from its first to its last line; or the last line of one that was begun."""
        self._mend(path, at)
        if path in self.open:
            model, name, use, began = self.open.pop(path)
            self._say(path, model, name, use, began, finished=True)
            return
        model, name, use = self._call()
        for _ in range(self.chance.randrange(2)):
            self._say(path, model, name, use._replace(output=1), at, finished=False)
        self._say(path, model, name, use, at, finished=True)

    def begin(self, path, at):
        """The first line of an answer that is still being written."""
        if path in self.open:
            return
        self._mend(path, at)
        model, name, use = self._call()
        self.open[path] = (model, name, use, at)
        self._say(path, model, name, use._replace(output=1), at, finished=False)

    def tear(self, path, at):
        """A part of a line: the client is interrupted while it writes."""
        if path in self.torn or path in self.open:
            return
        model, name, use = self._call()
        data = line(self._record(path, model, name, use, at, finished=True))
        cut = self.chance.randrange(1, len(data) - 2)
        self._append(path, data[:cut], at)
        self.torn[path] = (data[cut:], model, name, use, at)

    def splice(self, path, at):
        """A whole line directly behind a part of another one that never ends."""
        if path in self.open:
            return
        if path not in self.torn:
            self.tear(path, at)
        self.torn.pop(path)
        model, name, use = self._call()
        self._say(path, model, name, use, at, finished=True)

    def agent(self, path, at):
        """A sub-agent's own file: it counts to the session above."""
        if "subagents" in path:
            return
        session = self.files[path].session
        number = self.chance.randrange(10**6)
        own = os.path.join(path.removesuffix(".jsonl"), "subagents", f"agent-{number}.jsonl")
        os.makedirs(os.path.dirname(own), exist_ok=True)
        self._begin(own, session, at)
        model, name, use = self._call()
        self._say(own, model, name, use, at, finished=True)

    def fork(self, path, at):
        """A session resumed under another id: its file repeats the old lines, with their old ids and times."""
        if "subagents" in path or not self.whole[path]:
            return
        names_payer = self.chance.random() < 0.5
        old = self.files[path]
        new = self.start(at, first_at=old.first_at)
        self.whole[new].clear()
        os.unlink(new)
        session = self.files[new].session
        for record in self.whole[path]:
            payer = self.made.get(record["message"].get("id"))
            more = {"requestSessionId": payer} if names_payer and payer else {}
            self._write(new, record | {"sessionId": session} | more, at)
        for model, name, version, paying in self.booked[path]:
            self._book(new, model, name, version, self.made[name] if names_payer else paying)
        if path in self.open:
            self.open.pop(path)  # the answer goes on in neither: a user forks what has ended

    def copy(self, path, at):
        """The same file in another project's folder, as a backup or a synchronised home leaves it."""
        if "subagents" in path or path in self.torn or path in self.open:
            return
        other = os.path.join(
            self.root, "projects", f"-copy-{self.chance.randrange(3)}", os.path.basename(path)
        )
        if os.path.exists(other):
            return
        os.makedirs(os.path.dirname(other), exist_ok=True)
        shutil.copyfile(path, other)
        os.utime(other, (at, at))
        old = self.files[path]
        copied = File(old.session, other, old.first_at)
        for model, name, version, paying in self.booked[path]:
            self.ledger.book(self.name, model, name, copied, version, paying)

    def nulls(self, path, at):
        """What a power loss leaves at the end of a file; the next line follows directly."""
        if path not in self.torn:
            self._append(path, b"\0" * self.chance.randrange(1, 200), at)

    def settle(self, at):
        """Complete what is half written."""
        for path in list(self.torn):
            self._mend(path, at)
        for path in list(self.open):
            self.answer(path, at)

    def forget(self, at):  # noqa: ARG002
        """The client deletes an old session. What was read of it stays."""
        closed = [path for path in self.files if path not in self.torn and path not in self.open]
        if closed:
            path = self.chance.choice(closed)
            del self.files[path]
            os.unlink(path)

    def _mend(self, path, at):
        """End a torn line, as a client does that was only slow."""
        if path in self.torn:
            rest, model, name, use, began = self.torn.pop(path)
            self._append(path, rest, at)
            self.whole[path].append(self._record(path, model, name, use, began, finished=True))
            self._book(path, model, name, Version(use, began, True))

    def _call(self):
        self.count += 1
        n = self.chance.randrange
        return (
            self.chance.choice(CLAUDE_MODELS), f"msg_{self.count}", Use(n(50), n(1, 900), n(9000), n(800), n(300))
        )  # fmt: skip

    def _record(self, path, model, name, use, at, *, finished):
        used = usage(
            use.output, use.fresh, use.read, use.write_5m + use.write_1h,
            cache_creation={"ephemeral_5m_input_tokens": use.write_5m, "ephemeral_1h_input_tokens": use.write_1h},
        )  # fmt: skip
        return assistant(
            name, at, request_id=f"req_{name}", usage=used, model=model, session=self.files[path].session,
            stop="end_turn" if finished else None, cwd=self.chance.choice(FOLDERS), uuid=f"u-{name}-{finished}",
        )  # fmt: skip

    def _say(self, path, model, name, use, at, *, finished):
        self._write(path, self._record(path, model, name, use, at, finished=finished), at)
        self._book(path, model, name, Version(use, at, finished))

    def _book(self, path, model, name, version, paying=None):
        self.made.setdefault(name, self.files[path].session)
        self.ledger.book(self.name, model, name, self.files[path], version, paying)
        kept = [one for one in self.booked[path] if one[1] != name]
        self.booked[path] = [*kept, (model, name, version, paying)]

    def _begin(self, path, session, first_at):
        self.files[path] = File(session, path, first_at)
        self.whole[path], self.booked[path] = [], []

    def _write(self, path, record, at):
        self.whole[path].append(record)
        self._append(path, line(record), at)

    def _append(self, path, data, at):
        with open(path, "ab") as file:
            file.write(data)
        os.utime(path, (at, at))


class Codex:
    """Rollouts that grow and are packed when they are old."""

    name = "codex"
    model = "gpt-5.1-codex"

    def __init__(self, root, ledger, chance, *, packs):
        self.root, self.ledger, self.chance, self.packs = os.path.join(root, "codex"), ledger, chance, packs
        self.threads = {}  # path → (File, usages so far)

    def step(self, at):
        if not self.threads or self.chance.random() < 0.2:
            thread = f"01990000-aaaa-7000-8000-{len(self.threads) + 1:012d}"
            path = codex.path(Path(self.root), thread)
            self.threads[path] = (File(thread, path, at), [])
            self._write(path, [codex.meta(thread, at - START), codex.turn(at - START)], at)
        path = self.chance.choice(list(self.threads))
        file, before = self.threads[path]
        if self.packs and self.chance.random() < 0.1 and os.path.exists(path):
            self._pack(path, at)
            return
        if not os.path.exists(path):
            return  # packed: the client has ended this thread
        n = self.chance.randrange
        use = Use(n(1, 500), n(1, 400), n(5000))
        record = codex.tokens(use.input, use.read, use.output, n(use.output + 1))
        name = f"resp_{len(before)}"
        told = [codex.record(name, record, *before, thread=file.session, at=at - START)]
        if self.chance.random() < 0.5:
            told.append(codex.count(record, *before, at=at - START))
        before.append(record)
        self._write(path, told, at)
        self.ledger.book(self.name, self.model, f"{file.session}/{name}", file, Version(use, at, True))

    def _write(self, path, records, at):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab") as file:
            file.writelines(json.dumps(one).encode() + b"\n" for one in records)
        os.utime(path, (at, at))

    def _pack(self, path, at):
        with open(path, "rb") as file, open(path + ".zst", "wb") as packed:
            packed.write(self.packs(file.read()))
        os.utime(path + ".zst", (at, at))
        os.unlink(path)


class OpenCode:
    """A database beside its writer: messages that grow, and forks that copy them under new ids."""

    name = "opencode"
    model = "gpt-5.1-codex"

    def __init__(self, root, ledger, chance):
        self.folder, self.ledger, self.chance = os.path.join(root, "opencode"), ledger, chance
        self.path = os.path.join(self.folder, "opencode.db")
        self.count, self.sessions = 0, {}  # session → message → data
        self.client = None

    def step(self, at):
        if self.client is None:
            self.client = opencode.Client(Path(self.path))
        if not self.sessions or self.chance.random() < 0.15:
            self._session(at)
        session = self.chance.choice(list(self.sessions))
        if self.sessions[session] and self.chance.random() < 0.15:
            self._fork(session, at)
            return
        self.count += 1
        n = self.chance.randrange
        use = Use(n(1, 500), n(1, 400), n(5000))
        name, since = (
            f"msg_oc{self.count}",
            at - 4 - START,
        )  # a response is of the moment it was completed: now
        used = opencode.tokens(use.fresh, use.output, 0, use.read)
        if self.chance.random() < 0.5:
            begun = opencode.said(since, completed=False, used=opencode.tokens(use.fresh, 1, 0, use.read))
            self._write(name, begun, session, at - 4, at - 4)
        data = opencode.said(since, used=used)
        self._write(name, data, session, at - 4, at)
        self.ledger.book(self.name, self.model, name, File(session, self.path, at), Version(use, at, True))

    def _session(self, at):
        session = f"ses_{len(self.sessions)}"
        self.client.session(session, at=at - START)
        self.sessions[session] = {}
        return session

    def _fork(self, session, at):
        new = self._session(at)
        for data in list(self.sessions[session].values()):
            self.count += 1
            self._write(f"msg_oc{self.count}", data, new, data["time"]["created"] / 1000, at)

    def _write(self, name, data, session, created, at):
        """A message's row; as its client does, with the time of this very change beside that of its making."""
        row = (name, session, int(created * 1000), int(at * 1000), json.dumps(data))
        self.client.db.execute("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?)", row)
        self.client.db.execute("UPDATE session SET time_updated = ? WHERE id = ?", (int(at * 1000), session))
        self.sessions[session][name] = data

    def close(self):
        if self.client is not None:
            self.client.db.close()


class Gemini:
    """Chats: a message is written again as it grows, and its last line stands."""

    name = "gemini"
    model = "gemini-2.5-flash"

    def __init__(self, root, ledger, chance):
        self.root, self.ledger, self.chance = os.path.join(root, "gemini"), ledger, chance
        self.chats = {}  # path → (File, messages so far)

    def step(self, at):
        if not self.chats or self.chance.random() < 0.2:
            session = f"603114b0-6f03-44b6-b8ba-{len(self.chats) + 1:012d}"
            path = os.path.join(
                self.root, "tmp", "shop", "chats", f"session-2026-09-21T12-00-{len(self.chats)}.jsonl"
            )
            self.chats[path] = (File(session, path, at), {})
            start = {"sessionId": session, "projectHash": "ab", "startTime": stamp(at), "kind": "main"}
            self._write(path, start, at)
        path = self.chance.choice(list(self.chats))
        file, messages = self.chats[path]
        n = self.chance.randrange
        again = messages and self.chance.random() < 0.3
        name, began = self.chance.choice(list(messages.items())) if again else (f"m{len(messages)}", at)
        messages[name] = began
        cached, fresh, output, thoughts = n(900), n(1, 300), n(1, 200), n(90)
        tokens = {"input": cached + fresh, "output": output, "cached": cached, "thoughts": thoughts, "tool": 0,
                  "total": cached + fresh + output + thoughts}  # fmt: skip
        message = {"id": name, "timestamp": stamp(began), "type": "gemini", "content": "x", "tokens": tokens,
                   "model": self.model}  # fmt: skip
        self._write(path, message, at)
        use = Use(fresh, output + thoughts, cached)
        self.ledger.book(self.name, self.model, f"{file.session}/{name}", file, Version(use, began, True))

    def _write(self, path, record, at):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab") as file:
            file.write(json.dumps(record).encode() + b"\n")
        os.utime(path, (at, at))


class Copilot:
    """Session events: each call is told, and sometimes told again in another session's file."""

    name = "copilot"
    model = "gpt-5.1-codex"

    def __init__(self, root, ledger, chance):
        self.root, self.ledger, self.chance = os.path.join(root, "copilot"), ledger, chance
        self.sessions = {}  # path → (File, number of calls)

    def step(self, at):
        if not self.sessions or self.chance.random() < 0.2:
            session = f"983c1524-b9f7-40a9-930c-{len(self.sessions) + 1:012d}"
            path = copilot.path(Path(self.root), session)
            self.sessions[path] = [File(session, path, at), 0]
            first = copilot.start()
            first["data"]["sessionId"] = session
            self._write(path, first, at)
        path = self.chance.choice(list(self.sessions))
        file, count = self.sessions[path]
        self.sessions[path][1] = count + 1
        n = self.chance.randrange
        use = Use(n(1, 500), n(1, 400), n(5000))
        used = copilot.usage(use.input, use.read, use.output, 0, 0)
        self._write(path, copilot.call(count + 1, at - START, file.session, **used), at)
        self.ledger.book(self.name, self.model, f"{file.session}/{count}", file, Version(use, at, True))

    def _write(self, path, record, at):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab") as file:
            file.write(json.dumps(record).encode() + b"\n")
        os.utime(path, (at, at))
