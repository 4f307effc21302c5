"""Budgets, limits, block and forecast in the published state. Pure: what is kept goes in, a state comes out."""

from collections.abc import Iterable
from typing import Any

from aitop.config import Config
from aitop.history.rows import Session
from aitop.live.money.keeper import Keeper
from aitop.live.snapshot import Snapshot, active


def dress(
    state: dict[str, Any], keeper: Keeper, snap: Snapshot, sessions: Iterable[Session], config: Config
) -> None:
    """Fill in what needs more than windows: the keys that `encode` left empty, and each session's tag."""
    running = {view.session.name for view in snap.sessions if active(view, snap.at)}
    for row, view in zip(state["sessions"], snap.sessions, strict=True):
        row["tag"] = keeper.tag(view.session, config)
    state["limits"] = keeper.limits(snap.limits, config, snap.at)
    state["budgets"] = keeper.budgets(
        sessions, running, {view.session.name for view in snap.sessions}, config
    )
    state["block"] = keeper.block(snap.limits, snap.at)
    state["forecast"] = keeper.forecasts(state["block"], snap.at)
