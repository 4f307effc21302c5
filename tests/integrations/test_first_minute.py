"""A new user's first minute with the real client: a clone, one command, and tmux shows what the client says."""

import pytest
from golden.home import need
from support.first_minute import Newcomer, on_a_terminal, without_a_terminal

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.fixture
def newcomer():
    for program in ("tmux", "git", "bash"):
        need(program)
    with Newcomer() as found:
        yield found


def test_on_a_terminal_a_clone_and_one_command_bring_the_true_cost_to_tmux(newcomer):
    _, shown = on_a_terminal(newcomer)
    (session,) = newcomer.state()["sessions"]
    assert session["client_cost_usd"] > 0.1
    assert shown == pytest.approx(session["client_cost_usd"], abs=0.005)


def test_without_a_terminal_the_same_two_commands_do_with_yes(newcomer):
    client, shown, said = without_a_terminal(newcomer)
    assert client > 0.1
    assert shown == pytest.approx(client, abs=0.005)
    assert "Set up: Claude Code, status line, tmux" in said
