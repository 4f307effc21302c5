"""Where the search for private text plants a client's records: provider → a path below the user's home folder."""

PLACES = {
    "claude-code": ".claude/projects/-shop/11111111-2222-4333-8444-{:012d}.jsonl",
    "codex": ".codex/sessions/2026/09/21/rollout-2026-09-21T12-00-00-01990000-aaaa-7000-8000-{:012d}.jsonl",
    "gemini": ".gemini/tmp/shop{}/chats/session-2026-09-21T12-00.jsonl",
    "copilot": ".copilot/session-state/983c1524-b9f7-40a9-930c-{:012d}/events.jsonl",
    "qwen": ".qwen/projects/shop{}/chats/85c0792e-f721-41e7-bef5-cebbbf30eb10.jsonl",
    "pi": ".pi/agent/sessions/--shop--/2026-09-21T14-13-20-000Z_01a22592-abea-722d-828d-{:012d}.jsonl",
    "kimi": ".kimi-code/sessions/wd_shop{}_1c89ce7306c3/session_1/agents/main/wire.jsonl",
    "grok": ".grok/sessions/%2Fwork%2Fshop{}/01a22595-bdb5-7ec0-be4e-6fc58dcd45cf/updates.jsonl",
    "opencode": ".local/share/opencode/storage/message/ses_{}/msg_1.json",
}
