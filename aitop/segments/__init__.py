"""State → the one line of each display.

Pure and cheap: the listener renders every segment each second, a one-shot with options renders one.
Rendering must not read a clock, a file or the configuration. One file per display, each with its own
escaping, loaded when it is first drawn: a one-shot draws one. What they share (placeholders, templates, presets)
knows no display. Read `template.py` first, then `plain.py` (the simplest display).
"""

from __future__ import annotations

from aitop.segments import fields, presets
from aitop.segments.placeholders import Values
from aitop.segments.template import fill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aitop.model.json_types import JsonObject
    from aitop.segments.details import Blocks
    from aitop.segments.template import Piece

TEXT_DISPLAYS = ("tmux", "bash", "zsh", "fish", "plain")
DOCUMENTS = ("waybar", "swiftbar")  # with more behind the line: a tooltip, a menu
DISPLAYS = (*TEXT_DISPLAYS, *DOCUMENTS)
SHELL_DISPLAYS = ("bash", "zsh", "fish", "plain")
BY_FOLDER = "{cost_project}"  # a prompt that holds it is rendered for each folder
MAX_FOLDERS, MAX_NAME = 30, 200
PLAIN_SUFFIX = "-plain"  # the same escaping without colour, for NO_COLOR
NO_COLOUR = tuple(f"{name}{PLAIN_SUFFIX}" for name in ("tmux", "bash", "zsh"))


def render(
    state: JsonObject,
    display: str,
    *,
    preset: str | None = None,
    template: str | None = None,
    now: float,
) -> str:
    """One display's text without a trailing newline; "" hides it."""
    values = Values(state, now)
    behind = _behind(values, state, now) if display in DOCUMENTS else {}
    return _draw(display, fill(_look(state, preset, template, display), values), values, behind)


def render_all(
    state: JsonObject, own: Iterable[tuple[str, str, str | None, str | None]], now: float
) -> dict[str, str]:
    """Every built-in segment, its variant without colour, and the user's own (name, display, preset, format).

    A definition with a built-in's name replaces that built-in's look, its variant's too.
    """
    wanted: dict[str, tuple[str, str | None, str | None]] = {name: (name, None, None) for name in DISPLAYS}
    wanted |= {name: (display, preset, look) for name, display, preset, look in own}
    for name in NO_COLOUR:
        base = wanted[name.removesuffix(PLAIN_SUFFIX)]
        if name not in wanted and base[0] in TEXT_DISPLAYS:
            variant = base[0] + PLAIN_SUFFIX
            wanted[name] = (variant if variant in NO_COLOUR else "plain", base[1], base[2])
    values = Values(state, now)
    filled: dict[str, list[Piece]] = {}  # most segments share one look
    behind = _behind(values, state, now)
    texts: dict[str, str] = {}
    for name, (display, preset, look) in wanted.items():
        text = _look(state, preset, look, display)
        if BY_FOLDER in text and display.removesuffix(PLAIN_SUFFIX) in SHELL_DISPLAYS:
            texts |= _by_folder(state, name, display, text, now)
            continue
        if text not in filled:
            filled[text] = fill(text, values)
        texts[name] = _draw(display, filled[text], values, behind)
    return texts


def _by_folder(state: JsonObject, name: str, display: str, look: str, now: float) -> dict[str, str]:
    """A prompt's segment for each folder that has a session, and one for all other folders.

    A shell finds that of `$PWD` by its name: the folder with `%` for `/`, behind the segment's own name. A worktree's
    session has two: the worktree, and the folder of its repository that its work belongs to.
    """
    elsewhere = Values(state, now)
    elsewhere.view.in_folder = False
    texts = {name: _draw(display, fill(look, elsewhere), elsewhere, {})}
    texts[name + "%"] = texts[name]  # the root: it also tells a shell that there are folders to look for
    sessions = fields.rows(state.get("sessions"))
    for folder, session in ((row.get(key), row) for row in sessions for key in ("cwd", "folder")):
        if not isinstance(folder, str) or not folder.startswith("/") or not folder.isprintable():
            continue
        key = name + folder.replace("/", "%")
        if key not in texts and len(key.encode("utf-8", "replace")) <= MAX_NAME and len(texts) <= MAX_FOLDERS:
            values = Values(state, now, session=session)
            texts[key] = _draw(display, fill(look, values), values, {})
    return texts


def for_tmux(
    state: JsonObject,
    looks: dict[str, tuple[str | None, str | None]],
    now: float,
    *,
    colours: dict[str, str],
    levels: dict[str, list[float]],
) -> dict[str, str]:
    """Several texts for one tmux server, name → (preset, template), in its own colours and thresholds."""
    shown = fields.table(state.get("display"))
    bounds = fields.table(shown.get("levels")) | levels
    view = {**state, "display": {**shown, "levels": bounds}}
    line = _line_of("tmux")
    values = Values(view, now)
    return {
        name: line(fill(_look(view, preset, look), values), colour=True, colours=colours)
        for name, (preset, look) in looks.items()
    }


def _look(state: JsonObject, preset: str | None, look: str | None, display: str = "") -> str:
    """The template that applies: the one given, else the preset's, else that of the configured preset."""
    if look is not None:
        return look
    chosen = preset or fields.table(state.get("display")).get("preset")
    icon = (
        "{icon} " if display == "waybar" else ""
    )  # in the text: Waybar's own icons need its newest versions
    return icon + presets.template(chosen, subscription=fields.is_subscription(state), display=display)


def _draw(display: str, pieces: list[Piece], values: Values, behind: Blocks) -> str:
    if not pieces:
        return ""
    if display == "waybar":
        from aitop.segments import waybar

        return waybar.document(pieces, values, behind)
    if display == "swiftbar":
        from aitop.segments import swiftbar

        return swiftbar.document(pieces, values, behind)
    return _line_of(display.removesuffix(PLAIN_SUFFIX))(pieces, colour=not display.endswith(PLAIN_SUFFIX))


def _line_of(display: str) -> Callable[..., str]:
    """What draws one of the text displays."""
    module = __import__(
        f"aitop.segments.{display}", fromlist=["line"]
    )  # importlib is slower to load than all of it
    line: Callable[..., str] = module.line
    return line


def _behind(values: Values, state: JsonObject, now: float) -> Blocks:
    """What a tooltip or a menu shows."""
    from aitop.segments import details

    return details.blocks(values, state, now)
