"""The generated files are those of the tables."""

import json
import os
import subprocess
import sys

from golden.home import ROOT

from aitop.fleet import names, queries


def test_dashboard_rules_and_page_are_up_to_date():
    found = subprocess.run(
        [sys.executable, "scripts/make_fleet_files.py", "--check"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": ROOT},
    )  # fmt: skip
    assert (found.returncode, found.stdout) == (0, ""), found.stdout + found.stderr


def test_grafanas_own_types_read_the_dashboard_and_write_it_again():
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

    with open(os.path.join(ROOT, "integrations", "grafana", "aitop.json")) as file:
        content = json.load(file)
    board = Dashboard.from_json(content)
    assert board.uid == "aitop"
    panels = [one for one in board.panels if isinstance(one, Panel)]
    assert len(panels) == len(queries.PANELS)
    again = json.loads(JSONEncoder(sort_keys=True).encode(board))
    assert [one["title"] for one in again["panels"]] == [one["title"] for one in content["panels"]]
    for one in content["panels"]:
        place = one["gridPos"]
        assert place["x"] + place["w"] <= 24


def test_no_session_is_a_label_and_every_metric_says_whose_it_is():
    for metric in names.METRICS:
        assert "session" not in metric.labels
        assert metric.all_labels[-2:] == names.ORIGIN
        assert metric.help


def test_the_command_prints_the_same_files(tmp_path):
    from click.testing import CliRunner

    from aitop.fleet.cli import export

    for word, path in (("rules", "prometheus/aitop.rules.yml"), ("dashboard", "grafana/aitop.json")):
        found = CliRunner().invoke(export, [word])
        with open(os.path.join(ROOT, "integrations", path)) as file:
            assert found.output == file.read()
