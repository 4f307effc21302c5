"""The call of `aitop commit-trailer` in a repository's commit-msg hook: put in, taken out, remembered.

A hook that is there already gets a marked block at its end, if it is a shell script that goes on to its end; what
stands around the block keeps its bytes. `$AITOP_HOME/git-hooks.json` names the hooks, so that `aitop uninstall` takes
the block out of all of them.
"""

import json
import os
import shlex

from aitop import paths
from aitop.install import blocks, files
from aitop.system import installation

HOST = "git"
RECORD = "git-hooks.json"
FIRST_LINE = "#!/bin/sh\n"
SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
ENDS = ("exit", "exec")  # after such a last line a hook would never come to the block
MODE = 0o755
# The hook ends as it would have ended before.
BODY = """aitop_ended=$?
[ "$aitop_ended" -ne 0 ] || [ ! -x {front} ] || {front} commit-trailer "$1" || :
(exit "$aitop_ended")"""


def add(path: str) -> str:
    """Put the block in; says what was done. Raises files.Refused."""
    before = files.read(path)
    text = files.text_of(path, before)
    if before is not None:
        _check(path, text)
    front = shlex.quote(installation.front())
    body = BODY.format(front=front)
    try:
        after = blocks.put(text or FIRST_LINE, HOST, body, blocks.HASH)
    except blocks.Unclear as error:
        raise files.Refused(f"{path}: {error}. Nothing was changed") from error
    if after == text:
        return f"{path}: has the call already"
    written = files.bytes_of(after, before)
    files.replace(path, before, written, mode=MODE)
    record = _known()
    original = record[path][0] if path in record else (None if before is None else text)
    _save(record | {path: [original, files.digest(written)]})
    if before is not None and not os.access(path, os.X_OK):
        return f"{path}: changed, but git does not run it: chmod +x {shlex.quote(path)}"
    return f"{path}: {'created' if before is None else 'changed'}; `aitop commit-trailer --remove` takes it out again"


def _check(path: str, text: str) -> None:
    lines = text.strip().splitlines() or [""]
    program = lines[0].removeprefix("#!").split()
    if not lines[0].startswith("#!") or os.path.basename(program[-1] if program else "") not in SHELLS:
        raise files.Refused(f'{path}: is no shell script; add `aitop commit-trailer "$1"` to it by hand')
    if lines[-1].split()[:1] and lines[-1].split()[0] in ENDS:
        raise files.Refused(
            f'{path}: ends with `{lines[-1].split()[0]}`; add `aitop commit-trailer "$1" || :` above that line by hand'
        )


def remove(path: str) -> str:
    """Take the block out. An unchanged hook becomes what it was, byte for byte. Raises files.Refused."""
    record = _known()
    original, written = record.pop(path, [None, None])
    before = files.read(path)
    if before is None:
        _save(record)
        return f"{path}: there is no such hook"
    text = files.text_of(path, before)
    try:
        after = blocks.take(text, HOST, blocks.HASH)
    except blocks.Unclear as error:
        raise files.Refused(f"{path}: {error}. Nothing was changed") from error
    is_as_written = files.digest(before) == written
    if is_as_written and original is None:
        files.delete(path, before)
    elif after != text:
        files.replace(path, before, files.bytes_of(original or "" if is_as_written else after, before))
    _save(record)
    if after == text:
        return f"{path}: does not call aitop"
    return (
        f"{path}: {'removed' if is_as_written and original is None else 'our lines removed; all else stays'}"
    )


def remove_all() -> list[str]:
    """Out of every repository that has it; what is in the way is said."""
    lines = []
    for path in sorted(_known()):
        try:
            lines.append(remove(path))
        except files.Refused as error:
            lines.append(str(error))
    return lines


def _known() -> dict[str, list[str | None]]:
    """Hook → its text before us, None where there was none, and the digest of what we wrote."""
    try:
        record = json.loads(files.read(paths.in_home(RECORD)) or b"{}")
        return {path: [original, written] for path, (original, written) in record.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _save(record: dict[str, list[str | None]]) -> None:
    path = paths.in_home(RECORD)
    before = files.read(path)
    if record:
        files.replace(path, before, json.dumps(record, ensure_ascii=False, indent=1).encode() + b"\n")
    elif before is not None:
        files.delete(path, before)
