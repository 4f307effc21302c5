"""`init NAME --write` and `--remove`: carry out what `places` says, and remember it.

The first original of each file is kept; as long as a file is still what we wrote, removing brings that
original back byte for byte. A file changed since loses our block only. What was written stands in
`$AITOP_HOME/snippets.json`, so that `aitop uninstall` can undo it all.
"""

import json
import os
import shutil
import subprocess
from typing import Any

from aitop import paths
from aitop.install import files, places, record, snippets
from aitop.install.blocks import Unclear
from aitop.install.places import Place

RECORD = "snippets.json"
FACTS = {"hosts", "written", "backup", "created", "diverged"}


def change(host: str, shell: str, parts: list[str], folder: str | None, *, undo: bool) -> list[str]:
    """Put a host's lines in or take them out; says what was done. Raises files.Refused, Unclear."""
    if host == "claude-code":
        return client(parts[0], undo=undo)
    known = load()
    found = places.places(host, shell, parts, folder)
    # All is decided before anything is written: half an integration would be worse than none.
    steps = [(place, files.read(place.path), _new(place, undo=undo)) for place in found]
    said = []
    for place, before, after in steps:
        said.append((_take if undo else _put)(place, host, before, after, known))
        save(known)
    if not undo:
        said += [place.note for place in found if place.note]
        said.append(f"`aitop init {host} --remove` takes it out again.")
    return said


def remove_all() -> list[str]:
    """Everything that was ever written and is still there; for `aitop uninstall`."""
    said = []
    for host in dict.fromkeys(host for entry in load().values() for host in entry["hosts"]):
        shells = [shell for shell in snippets.SHELLS if host == "starship"] or ["bash"]
        for shell in shells:
            try:
                parts = snippets.snippets(host, shell, snippets.front())
                folder = next(
                    (os.path.dirname(p) for p, entry in load().items() if host in entry["hosts"]), None
                )
                said += change(host, shell, parts, folder, undo=True)
            except (files.Refused, Unclear, OSError) as error:
                said.append(f"{host}: {error}")
    return said


def _new(place: Place, *, undo: bool) -> str:
    """The file's text as it should become. Raises files.Refused naming the file."""
    before = files.text_of(place.path, files.read(place.path))
    try:
        if undo:
            return place.take(before)
        _is_free(place, before)
        new = place.put(before)
        if place.check is not None:
            place.check(before)
            place.check(new)
    except Unclear as error:
        raise files.Refused(f"{place.path}: {error}. Nothing was changed") from error
    return new


def _is_free(place: Place, before: str) -> None:
    if place.whole and before and "aitop" not in before:
        raise Unclear("is there already and not ours; move it away first")


def _put(place: Place, host: str, before: bytes | None, after: str, known: dict[str, Any]) -> str:
    new = files.bytes_of(after, before)
    if before == new:
        return f"{place.path}: has our lines already"
    was = known.get(place.path)
    kept = was["backup"] if was else None
    if was is None and before is not None:
        kept = record.backup(place.path, before)
    created = was["created"] if was else before is None
    diverged = was is not None and (was["diverged"] or files.digest(before or b"") != was["written"])
    hosts = [*(other for other in (was["hosts"] if was else ()) if other != host), host]
    known[place.path] = {
        "hosts": hosts, "written": files.digest(new), "backup": kept, "created": created, "diverged": diverged,
    }  # fmt: skip
    save(known)
    files.replace(place.path, before, new)
    if before is None:
        os.chmod(place.path, place.mode)
    original = f"; the original is {record.backup_path(kept)}" if kept else ""
    return f"{place.path}: {'created' if before is None else 'changed'}{original}"


def _take(place: Place, host: str, before: bytes | None, after: str, known: dict[str, Any]) -> str:
    was = known.pop(place.path, None)
    if before is None:
        return f"{place.path}: there is no such file"
    ours = was if was and not was["diverged"] and files.digest(before) == was["written"] else None
    others = [other for other in was["hosts"] if other != host] if was else []
    if was and others:  # the original has none of their lines either
        return _take_lines(place, before, after, known, was | {"hosts": others, "diverged": ours is None})
    if place.whole or (ours and ours["created"]):
        if place.whole and b"aitop" not in before:
            return f"{place.path}: is not ours; left alone"
        files.delete(place.path, before)
        _drop_backup(was)
        return f"{place.path}: removed"
    original = files.read(record.backup_path(ours["backup"])) if ours and ours["backup"] else None
    if original is not None:
        files.replace(place.path, before, original)
        _drop_backup(was)
        return f"{place.path}: restored byte for byte"
    return _take_lines(place, before, after, known, None)


def _take_lines(
    place: Place, before: bytes, after: str, known: dict[str, Any], left: dict[str, Any] | None
) -> str:
    """The block alone; `left` is what is still to be remembered of the file."""
    new = files.bytes_of(after, before)
    if left is not None:
        known[place.path] = left | {"written": files.digest(new)}
    if new == before:
        return f"{place.path}: has no lines of ours"
    files.replace(place.path, before, new)
    return f"{place.path}: our lines removed; all else stays"


def _drop_backup(was: dict[str, Any] | None) -> None:
    if was and was["backup"]:
        try:
            os.unlink(record.backup_path(was["backup"]))
        except FileNotFoundError:
            pass


def client(commands: str, *, undo: bool) -> list[str]:
    """Claude Code's plugins are its own to install: run its commands."""
    if not shutil.which("claude"):
        raise Unclear("claude is not on PATH; run the commands of `aitop init claude-code` where it is")
    put, _, take = commands.partition("# To remove it:\n")
    said = []
    for line in (take if undo else put).splitlines():
        if line.startswith("claude "):
            found = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, timeout=120)  # noqa: S602
            if found.returncode:
                raise Unclear(f"{line}: {(found.stderr or found.stdout).strip()}")
            said.append(f"{line}: done")
    return said


def load() -> dict[str, Any]:
    """What we wrote, by path; a record that cannot be read is none."""
    raw = files.read(paths.in_home(RECORD))
    try:
        found = json.loads(raw or b"{}")
        for entry in found.values():
            entry.setdefault(
                "hosts", [entry["host"]] if "host" in entry else []
            )  # as first versions wrote it
        return {path: entry for path, entry in found.items() if set(entry) >= FACTS}
    except (ValueError, AttributeError, TypeError):
        return {}


def save(known: dict[str, Any]) -> None:
    path = paths.in_home(RECORD)
    before = files.read(path)
    if known:
        files.replace(path, before, json.dumps(known, indent=2, ensure_ascii=False).encode() + b"\n")
    elif before is not None:
        os.unlink(path)
