"""The lines of `init` in other programs' files: planned, written, remembered and taken out again.

The first original of each file is kept; as long as a file is still what we wrote, removing brings that
original back byte for byte. A file changed since loses our block only. What was written stands in
`$AITOP_HOME/snippets.json`, so that `aitop uninstall` can undo it all.
"""

import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass, field, replace

from aitop import paths
from aitop.install import files, places, record, snippets
from aitop.install.blocks import Unclear
from aitop.install.places import Place
from aitop.system import installation

RECORD = "snippets.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """What we know of a file that holds lines of ours."""

    hosts: list[str]
    written: str  # digest of the file as we wrote it last
    backup: str | None  # name under backups/; None: we made the file
    created: bool
    diverged: bool  # others changed it between two of our writes
    folders: list[str] = field(default_factory=list)  # folders made for it, the outermost first


@dataclass(frozen=True, slots=True)
class Change:
    """One file as it is and as a host's lines make it."""

    host: str
    place: Place
    before: bytes | None
    after: bytes

    @property
    def path(self) -> str:
        return self.place.path

    @property
    def diff(self) -> str:
        return files.diff(self.path, self.before, self.after)


def plan(
    host: str, shell: str, parts: list[str], folder: str | None, planned: dict[str, bytes] | None = None
) -> list[Change]:
    """What putting a host's lines in changes. Raises files.Refused, Unclear before anything is written.

    `planned`: files that earlier plans change, as they will be; this plan is added to it.
    """
    planned = {} if planned is None else planned
    changes = []
    for place in places.places(host, shell, parts, folder):
        before = planned.get(place.path, files.read(place.path))
        after = files.bytes_of(_with_lines(place, files.text_of(place.path, before)), before)
        planned[place.path] = after
        changes.append(Change(host, place, before, after))
    return changes


def put(change: Change) -> str:
    """Carry out one change; says what was done. Raises files.Refused."""
    if change.before == change.after:
        return f"{change.path}: has our lines already"
    records = load()
    was = records.get(change.path)
    if was is None:
        backup = None if change.before is None else record.backup(change.path, change.before)
        folders = files.missing_folders(change.path)
        was = Kept([], "", backup, change.before is None, diverged=False, folders=folders)
    else:
        changed = was.diverged or files.digest(change.before or b"") != was.written
        was = replace(was, diverged=changed)
    hosts = [*(other for other in was.hosts if other != change.host), change.host]
    records[change.path] = replace(was, hosts=hosts, written=files.digest(change.after))
    save(records)
    files.replace(change.path, change.before, change.after, mode=change.place.mode)
    original = f"; the original is {record.backup_path(was.backup)}" if was.backup else ""
    return f"{change.path}: {'created' if change.before is None else 'changed'}{original}"


def remove(host: str, shell: str, parts: list[str], folder: str | None) -> list[str]:
    """Take a host's lines out; says what was done. Raises files.Refused, Unclear."""
    steps = []  # all is decided before anything is written
    for place in places.places(host, shell, parts, folder):
        before = files.read(place.path)
        try:
            after = place.take(files.text_of(place.path, before))
        except Unclear as error:
            raise files.Refused(f"{place.path}: {error}. Nothing was changed") from error
        steps.append((place, before, after))
    lines = []
    for place, before, after in steps:
        records = load()
        lines.append(_take(place, host, before, after, records))
        save(records)
    return lines


def remove_host(host: str) -> list[str]:
    """Take a host's lines out of every file they were written into; says what was done."""
    lines = []
    for shell in snippets.SHELLS if host == "starship" else ("bash",):
        if not any(host in kept.hosts for kept in load().values()):
            break
        try:
            parts = snippets.snippets(host, shell, installation.front())
            folder = next(
                (os.path.dirname(path) for path, kept in load().items() if host in kept.hosts), None
            )
            lines += remove(host, shell, parts, folder)
        except (files.Refused, Unclear, OSError) as error:
            lines.append(f"{host}: {error}")
    return lines


def hosts() -> list[str]:
    """Every host with lines of ours in some file."""
    return list(dict.fromkeys(host for kept in load().values() for host in kept.hosts))


def remove_all() -> list[str]:
    """Everything that was ever written and is still there; for `aitop uninstall`."""
    return [line for host in hosts() for line in remove_host(host)]


def _with_lines(place: Place, before: str) -> str:
    """The file's text with our lines. Raises files.Refused naming the file."""
    if place.whole and before and "aitop" not in before:
        raise files.Refused(f"{place.path}: is there already and not ours; move it away first")
    try:
        new = place.put(before)
        if place.check is not None:
            place.check(before)
            place.check(new)
    except Unclear as error:
        raise files.Refused(f"{place.path}: {error}. Nothing was changed") from error
    return new


def _take(place: Place, host: str, before: bytes | None, after: str, records: dict[str, Kept]) -> str:
    was = records.pop(place.path, None)
    if before is None:
        return f"{place.path}: there is no such file"
    ours = was if was and not was.diverged and files.digest(before) == was.written else None
    others = [other for other in was.hosts if other != host] if was else []
    if was and others:  # the original has none of their lines either
        return _take_lines(place, before, after, records, replace(was, hosts=others, diverged=ours is None))
    if place.whole or (ours and ours.created):
        if place.whole and b"aitop" not in before:
            return f"{place.path}: is not ours; left alone"
        files.delete(place.path, before)
        _clean_up(was)
        return f"{place.path}: removed"
    original = files.read(record.backup_path(ours.backup)) if ours and ours.backup else None
    if original is not None:
        files.replace(place.path, before, original)
        _clean_up(was)
        return f"{place.path}: restored byte for byte"
    return _take_lines(place, before, after, records, None)


def _take_lines(
    place: Place, before: bytes, after: str, records: dict[str, Kept], still_known: Kept | None
) -> str:
    """The block alone; `still_known` is what is to be remembered of the file."""
    new = files.bytes_of(after, before)
    if still_known is not None:
        records[place.path] = replace(still_known, written=files.digest(new))
    if new == before:
        return f"{place.path}: has no lines of ours"
    files.replace(place.path, before, new)
    return f"{place.path}: our lines removed; all else stays"


def _clean_up(was: Kept | None) -> None:
    """Remove the backup and the folders that we made, where they are empty."""
    if was is None:
        return
    if was.backup:
        try:
            os.unlink(record.backup_path(was.backup))
        except FileNotFoundError:
            pass
    files.remove_folders(was.folders)


def client(commands: str, *, undo: bool) -> list[str]:
    """Claude Code's plugins are its own to install: run its commands. Raises Unclear."""
    if not shutil.which("claude"):
        raise Unclear("claude is not on PATH; run the commands of `aitop init claude-code` where it is")
    put_lines, _, take_lines = commands.partition("# To remove it:\n")
    done = []
    for line in (take_lines if undo else put_lines).splitlines():
        if line.startswith("claude "):
            ended = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, timeout=120)  # noqa: S602
            if ended.returncode:
                raise Unclear(f"{line}: {(ended.stderr or ended.stdout).strip()}")
            done.append(f"{line}: done")
    return done


def load() -> dict[str, Kept]:
    """What we wrote, by path; a record that cannot be read is none."""
    raw = files.read(paths.in_home(RECORD))
    kept = {}
    try:
        for path, entry in json.loads(raw or b"{}").items():
            if "host" in entry:  # as first versions wrote it
                entry["hosts"] = [entry.pop("host")]
            kept[path] = Kept(**entry)
    except (ValueError, AttributeError, TypeError):
        return {}
    return kept


def save(records: dict[str, Kept]) -> None:
    path = paths.in_home(RECORD)
    before = files.read(path)
    if records:
        data = {name: asdict(kept) for name, kept in records.items()}
        files.replace(path, before, json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n")
    elif before is not None:
        os.unlink(path)
