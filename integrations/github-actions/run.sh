#!/usr/bin/env bash
# Runs $COMMAND under aitop, writes its cost to the job's summary and outputs, ends with the run's exit code.
# $1: the command aitop; $2: the file for the result. Outside of a job the summary goes to stdout.
set -u
aitop=$1 result=$2
options=(--output "$result")
[[ -z ${BUDGET-} ]] || options+=(--budget "$BUDGET")
"$aitop" run "${options[@]}" -- bash -c "$COMMAND"
code=$?
[[ -e $result ]] || exit "$code"
python3 - "$result" "${GITHUB_STEP_SUMMARY:-/dev/stdout}" "${GITHUB_OUTPUT:-/dev/null}" <<'EOF'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    run = json.load(file)
spent = run["spent_usd"]
mark = "≥ " if run["at_least"] else ""
lines = ["| spent | requests | input tokens | output tokens | model |", "|---|---|---|---|---|"]
if spent is None:
    lines.append("| unknown | | | | |")
else:
    lines.append(f"| {mark}${spent:.4f} | {run['requests']} | {run['input_tokens']} | {run['output_tokens']} | all |")
    for row in run["models"]:
        numbers = f"{row['requests']} | {row['input_tokens']} | {row['output_tokens']}"
        lines.append(f"| ${row['spent_usd']:.4f} | {numbers} | {row['model'] or 'not told'} |")
if run["budget_usd"] is not None:
    word = "over" if run["over"] else "within"
    lines += ["", f"{word} the budget of ${run['budget_usd']:.2f}" + (": stopped" if run["stopped"] else "")]
text = "\n".join(lines) + "\n"
for name in (sys.argv[1] + ".md", sys.argv[2]):
    with open(name, "a" if name == sys.argv[2] else "w", encoding="utf-8") as file:
        file.write(text)
with open(sys.argv[3], "a", encoding="utf-8") as file:
    file.write(f"spent_usd={'' if spent is None else spent}\n")
EOF
exit "$code"
