#!/bin/sh
# Writes dev.lock anew: the newest version of every tool and library that the groups and extras in pyproject.toml
# allow, for every system and every Python that is supported. bin/venv holds pip to it.
set -eu
cd "$(dirname "$0")/.."

. bin/venv
pip_install uv
.venv/bin/uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 \
	--group test --group lint --group bench --group build --all-extras \
	--no-header --no-annotate --quiet --output-file dev.lock
