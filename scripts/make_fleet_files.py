"""Makes the dashboard, the rules and the tables of docs/fleet.md from aitop/fleet/names.py and queries.py.

python scripts/make_fleet_files.py           writes them
python scripts/make_fleet_files.py --check   ends with 1 when one of them is out of date
"""

import argparse
import os
import sys

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    gauge,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BarGaugeDisplayMode, VizOrientation
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from aitop.fleet import files, queries

DASHBOARD = os.path.join("integrations", "grafana", "aitop.json")
RULES = os.path.join("integrations", "prometheus", "aitop.rules.yml")
PAGE = os.path.join("docs", "fleet.md")
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HEIGHTS = {"stat": 4}
BUILDERS = {"stat": stat, "timeseries": timeseries, "bargauge": bargauge, "table": table, "gauge": gauge}


def made() -> str:
    """The dashboard as Grafana imports it."""
    board = (
        dashboard.Dashboard("aitop")
        .uid("aitop")
        .tags(["aitop"])
        .time("now-24h", "now")
        .timezone("browser")
        .refresh("1m")
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    row = None
    for one in queries.PANELS:
        if one.row != row:
            row = one.row
            board = board.with_row(dashboard.Row(row))
        board = board.with_panel(_panel(one))
    return JSONEncoder(sort_keys=True, indent=1).encode(board.build()) + "\n"


def _panel(one: queries.Panel) -> object:
    query = prometheus.Dataquery().ref_id("A").expr(one.expr)
    query = query.legend_format(one.legend) if one.legend else query
    query = query.range() if one.kind == "timeseries" else query.instant()
    if one.kind == "table":
        query = query.format("table")
    panel = (
        BUILDERS[one.kind]
        .Panel()
        .title(one.title)
        .datasource(SOURCE)
        .unit(one.unit)
        .span(one.width)
        .height(HEIGHTS.get(one.kind, 8))
        .with_target(query)
    )
    if one.kind == "stat":
        panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    if one.kind == "bargauge":
        panel = (
            panel.orientation(VizOrientation.HORIZONTAL)
            .display_mode(BarGaugeDisplayMode.BASIC)
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        )
    return panel


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = {DASHBOARD: made(), RULES: files.rules(), PAGE: files.page(_read(PAGE))}
    outdated = [path for path, text in wanted.items() if _read(path) != text]
    for path in outdated:
        if not check:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(wanted[path])
        print(f"{path} {'is out of date' if check else 'written'}")
    sys.exit(bool(outdated) and check)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    main()
