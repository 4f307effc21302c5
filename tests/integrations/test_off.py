"""A stopped listener: displays show nothing, or the text that the user chose for it."""

import os
import subprocess

import pytest
from golden.home import environment, need
from support.hosts import ROOT, TMUX_PLUGIN, Tmux

SNIPPET = os.path.join(ROOT, "integrations", "{0}", "aitop.{0}")
SHOW = {
    "bash": ["bash", "--norc", "-c", 'source "$1"; __aitop_prompt; printf %s "$AITOP_SEGMENT"', "-"],
    "zsh": ["zsh", "-f", "-c", 'source "$1"; __aitop_prompt; print -rn -- "$AITOP_SEGMENT"', "-"],
    "fish": ["fish", "--no-config", "-c", "source $argv[1]; aitop_segment"],
}


@pytest.mark.real
@pytest.mark.parametrize("text", ["", "aitop off"])
@pytest.mark.parametrize("shell", SHOW)
def test_a_prompt_shows_the_users_text_while_no_listener_runs(tmp_path, shell, text):
    need(shell)
    more = {"AITOP_OFF": text} if text else {}
    done = subprocess.run([*SHOW[shell], SNIPPET.format(shell)], env=environment(str(tmp_path), **more),
                          capture_output=True, text=True, timeout=30, check=True)  # fmt: skip
    assert done.stdout == text


@pytest.mark.real
@pytest.mark.parametrize("text", ["", "aitop off"])
def test_tmux_shows_the_users_text_while_no_listener_runs(tmp_path, home, text):
    chosen = f"set -g @aitop_off '{text}'\n" if text else ""
    config = (
        "set -g status-interval 1\nset -g status-left ''\nset -g status-right 'here #{aitop}|#{aitop_burn}|'\n"
        f"{chosen}run-shell '{TMUX_PLUGIN}'\n"
    )
    with Tmux(tmp_path, home, config) as tmux:
        tmux.until(f"here {text}||")
