#!/bin/sh
# tests/mutation/run.sh [PART] [N]: break the code of one part (or of all), every Nth way, and see whether a test goes
# red. Works in a copy of the committed tree; prints what survived. See tests/mutation/README.md.
set -eu
cd "$(dirname "$0")/../.."
root=$(pwd)
parts=${1:-pricing windows identity}
every=${2:-1}

. bin/venv
pip_install --group test
pip_install cosmic-ray

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q "$root" "$work/tree"
cd "$work/tree"

for part in $parts; do
	case $part in
	pricing) code='["aitop/pricing/cost.py"]' tests='tests/pricing/test_pricing_edges.py tests/pricing/test_pricing_rules.py tests/pricing/test_pricing_properties.py' ;;
	windows) code='["aitop/live/windows.py"]' tests='tests/live/test_windows_edges.py tests/live/test_windows.py' ;;
	identity) code='["aitop/history/keys.py", "aitop/history/write/responses.py"]' tests='tests/history/test_history.py tests/lives' ;;
	*)
		echo "there is no part $part: pricing, windows, identity" >&2
		exit 2
		;;
	esac
	cat >"$work/$part.toml" <<EOF
[cosmic-ray]
module-path = $code
timeout = 90.0
excluded-modules = []
test-command = "env PYTHONPATH=. $root/.venv/bin/python -m pytest -x -q -n 0 -p no:cacheprovider --no-header $tests"
[cosmic-ray.distributor]
name = "local"
EOF
	cosmic=$root/.venv/bin/cosmic-ray
	"$cosmic" init "$work/$part.toml" "$work/$part.sqlite"
	"$root/.venv/bin/python" - "$work/$part.sqlite" "$every" <<'EOF'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
jobs = [row[0] for row in db.execute("SELECT job_id FROM work_items ORDER BY rowid")]
for job in jobs if int(sys.argv[2]) > 1 else []:
    if jobs.index(job) % int(sys.argv[2]):
        for table in ("mutation_specs", "work_items"):
            db.execute(f"DELETE FROM {table} WHERE job_id = ?", (job,))
db.commit()
EOF
	"$cosmic" exec "$work/$part.toml" "$work/$part.sqlite"
	echo "== $part"
	"$root/.venv/bin/cr-report" --surviving-only --show-diff "$work/$part.sqlite"
done
