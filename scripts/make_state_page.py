"""Fills the tables of docs/state.md from the published types, and those of docs/alerts.md from the rules.

python scripts/make_state_page.py           writes the pages
python scripts/make_state_page.py --check   ends with 1 when one of them is out of date
"""

import argparse
import os
import sys
from collections.abc import Callable

from aitop.live.alerts import page as alerts_page
from aitop.publish import state_schema

PAGES: dict[str, Callable[[str], str]] = {
    os.path.join("docs", "state.md"): state_schema.page,
    os.path.join("docs", "alerts.md"): alerts_page.page,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    outdated = []
    for path, fill in PAGES.items():
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = fill(before)
        if after != before:
            outdated.append(path)
            if not check:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(after)
    for path in outdated:
        print(f"{path} {'is out of date' if check else 'written'}")
    sys.exit(bool(outdated) and check)


if __name__ == "__main__":
    main()
