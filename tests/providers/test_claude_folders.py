"""Where Claude Code's transcripts are looked for, and what beside them is left alone."""

import os

import pytest

from aitop.providers.claude_code import folders, provider

SESSION = "11111111-2222-4333-8444-555555555555"
DESKTOP = "/h/.config/Claude/local-agent-mode-sessions"


def test_the_usual_folders_and_those_of_the_desktop_program():
    assert provider.folders([], {"HOME": "/h"}) == [
        "/h/.claude/projects",
        "/h/.config/claude/projects",
        DESKTOP,
    ]


def test_the_variable_moves_the_clients_own_folder_and_not_the_desktop_programs():
    found = provider.folders([], {"HOME": "/h", "CLAUDE_CONFIG_DIR": "/a, /b", "XDG_CONFIG_HOME": "/c"})
    assert found == ["/a/projects", "/b/projects", "/c/Claude/local-agent-mode-sessions"]


def test_on_a_mac_the_desktop_program_and_xcode_have_folders_in_the_library(monkeypatch):
    monkeypatch.setattr(folders.sys, "platform", "darwin")
    found = provider.folders([], {"HOME": "/h"})
    assert found[2:] == [
        "/h/Library/Application Support/Claude/local-agent-mode-sessions",
        "/h/Library/Developer/Xcode/CodingAssistant/ClaudeAgentConfig/projects",
    ]


def test_configured_folders_stand_alone_and_may_hold_transcripts_themselves(tmp_path):
    shared = tmp_path / "shared"
    os.makedirs(shared / "-home-me-app")
    os.makedirs(tmp_path / "config" / "projects")
    named = [str(tmp_path / "config"), str(shared), str(shared / "-home-me-app")]
    assert provider.folders(named, {"HOME": "/h"}) == [
        f"{tmp_path}/config/projects", f"{shared}/projects", f"{shared}",
        f"{shared}/-home-me-app/projects", f"{shared}/-home-me-app",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (f"/h/.claude/projects/-x/{SESSION}.jsonl", True),
        (f"/h/.claude/projects/-x/{SESSION}/subagents/agent-a.jsonl", True),
        ("/h/.claude/projects/-x/journal.jsonl", False),
        ("/h/.claude/projects/-x/audit.jsonl", False),
        ("/h/.claude/projects/-x/x.json", False),
        (f"{DESKTOP}/w/g/local_1/.claude/projects/-x/{SESSION}.jsonl", True),
        (f"{DESKTOP}/w/g/local_1/.claude/projects/-x/{SESSION}/subagents/agent-a.jsonl", True),
        (f"{DESKTOP}/w/g/local_1/audit.jsonl", False),
        (f"{DESKTOP}/w/g/local_1/outputs/projects/data.jsonl", False),
        (f"{DESKTOP}/w/g/local_1/.claude/history.jsonl", False),
    ],
)
def test_a_transcript_is_told_from_other_files(path, wanted):
    assert provider.wants(path) is wanted


@pytest.mark.parametrize(
    ("folder", "entered"),
    [("w", True), ("w/g", True), ("w/g/local_1", True), ("w/g/local_1/outputs", False), ("w/g/local_1/.claude", True),
     ("w/g/local_1/.claude/todos", False), ("w/g/local_1/.claude/projects", True),
     ("w/g/local_1/.claude/projects/-x/s/subagents", True)],
)  # fmt: skip
def test_the_users_files_beside_the_desktop_programs_are_not_searched(folder, entered):
    assert provider.enters(f"{DESKTOP}/{folder}") is entered
    assert provider.enters(f"/h/.claude/projects/{folder}")
