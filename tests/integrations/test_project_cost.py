"""`{cost_project}` in a prompt is that of `$PWD`, found without a process; a pane's border has its session's cost."""

import os
import subprocess

import pytest
from golden import states
from golden.home import ROOT, environment, need, processes, publish

from aitop import segments
from aitop.publish import tmux_push

LOOK = "{cost_today}{? here {cost_project}}"
OWN = [(name, name, None, LOOK) for name in ("bash", "zsh", "fish", "plain")]
CALLS = {
    "bash": [
        "bash",
        "--norc",
        "--noprofile",
        "-c",
        '. "$1"; __aitop_prompt; printf %s "$AITOP_SEGMENT"',
        "bash",
    ],
    "zsh": ["zsh", "-f", "-c", '. "$1"; __aitop_prompt; printf %s "$AITOP_SEGMENT"', "zsh"],
    "fish": ["fish", "--no-config", "-c", "source $argv[1]; aitop_segment"],
}


def state(base):
    return states.api() | {
        "sessions": [
            states.session(1, project="shop", cwd=f"{base}/shop", folder=f"{base}/shop"),
            states.session(2, project="docs", cwd=f"{base}/docs site", folder=f"{base}/docs site"),
            states.session(3, project="shop", cwd=f"{base}/shop-fix", folder=f"{base}/shop"),
        ],
        "folders_today": [
            {"folder": f"{base}/shop", "spent_usd": 3.5}, {"folder": f"{base}/docs site", "spent_usd": 0.25},
        ],
    }  # fmt: skip


def shown(shell, home, folder, **more):
    os.makedirs(folder, exist_ok=True)
    script = os.path.join(ROOT, "integrations", shell, f"aitop.{shell}")
    call = [*CALLS[shell], script]
    env = environment(home, NO_COLOR="1", PWD=folder, **more)
    done = subprocess.run(call, cwd=folder, env=env, capture_output=True,
                          text=True, timeout=30, check=False)  # fmt: skip
    assert done.stderr == ""
    return done.stdout.replace("%{%}", "").replace("\x01\x02", "")


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_prompt_shows_what_the_project_of_its_folder_costs(tmp_path, shell):
    need(shell)
    base, home = str(tmp_path / "w"), str(tmp_path / "h")
    publish(home, state(base), own=OWN)
    assert shown(shell, home, f"{base}/shop") == "$4.21 here $3.50"
    assert shown(shell, home, f"{base}/shop/src/deep") == "$4.21 here $3.50"
    assert shown(shell, home, f"{base}/shop-fix/src") == "$4.21 here $3.50"
    assert shown(shell, home, f"{base}/docs site") == "$4.21 here $0.25"
    assert shown(shell, home, f"{base}/elsewhere") == "$4.21"


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_finding_the_folders_segment_starts_no_process(tmp_path, shell):
    need(shell)
    need("strace")
    base, home = str(tmp_path / "w"), str(tmp_path / "h")
    publish(home, state(base), own=OWN)
    folder = f"{base}/shop/src"
    os.makedirs(folder)
    script = os.path.join(ROOT, "integrations", shell, f"aitop.{shell}")
    call = [word.replace('. "$1"', 'cd "$2"; . "$1"') for word in CALLS[shell]]
    started, text = processes([*call, script, folder], home, NO_COLOR="1")
    assert started == 0
    assert text.endswith(b"3.50")


def test_only_a_look_with_the_projects_cost_is_made_for_each_folder():
    plain = segments.render_all(state("/w"), [], states.NOW)
    assert not [name for name in plain if "%" in name]
    each = segments.render_all(state("/w"), [("zsh", "zsh", None, LOOK)], states.NOW)
    assert {name for name in each if name.startswith("zsh%")} == {
        "zsh%", "zsh%w%shop", "zsh%w%docs site", "zsh%w%shop-fix",
    }  # fmt: skip


def test_a_folder_of_another_form_makes_no_file():
    odd = state("/w")
    odd["sessions"] += [
        states.session(n, cwd=cwd, folder=cwd)
        for n, cwd in ((3, "relative"), (4, "/a\nb"), (5, "/" + "x" * 300), (6, None))
    ]
    names = segments.render_all(odd, [("zsh", "zsh", None, LOOK)], states.NOW)
    assert not any("/" in name or "\n" in name or len(name) > 210 for name in names)


def test_each_pane_has_the_cost_of_its_living_session():
    value = state("/w")
    value["sessions"] = [
        states.session(1, pane="%1", spent_usd=1.23), states.session(2, pane="%1", spent_usd=9.0),
        states.session(3, pane="%2", status="ended", spent_usd=5.0), states.session(4, pane="%7;x", spent_usd=5.0),
    ]  # fmt: skip
    assert tmux_push._pane_costs(value, None) == "<%1=$1.23>"  # noqa: SLF001
