"""What a client's records say was done: Claude Code's and Codex's, damaged ones included; and how often it worked."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from support import codex_records as codex
from support.json_values import values
from support.lines import START, assistant, encode, result, use, user
from support.worlds import SESSIONS, Book

from aitop.reports.shipped import claude_acts, codex_acts, reading, tries
from aitop.reports.shipped.acts import added, numbers

A = SESSIONS[0]
PATCH = "*** Begin Patch\n*** Update File: a.py\n@@\n-old\n+new\n keep\n"
APPLIED = "Exit code: 0\nOutput:\nSuccess. Updated the following files:\nM a.py\n"
PATCH += "*** Add File: b/c.py\n+one\n+two\n*** End Patch\n"


def claude(*records):
    return claude_acts.read([encode(records)], None)


def rollout(*records):
    records = [codex.meta(), codex.turn(), *records]
    return codex_acts.read(encode(records), codex.path(codex_path()))


def codex_path():
    return Path("/x")


def call(acts):
    (one,) = acts.calls
    return one


# -- lines -------------------------------------------------------------------------------------------------------


def test_a_line_has_the_number_of_its_letters_and_an_empty_one_has_none():
    assert numbers(["a = 1\r", "  a=1", "", "\t "], "x.py") == [hash("a=1")] * 2


def test_lines_that_were_there_before_are_not_added():
    assert added([1, 2, 2], [2, 1, 2, 2, 3]) == (2, 3)


# -- Claude Code -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "given", "told", "expected"),
    [
        ("Edit", {"old_string": "a\nb", "new_string": "a\nc"}, {}, ["c"]),
        ("Write", {"content": "a\nb\n"}, {"originalFile": "a\n"}, ["b"]),
        ("Write", {"content": "a\nb\n"}, {"originalFile": None}, ["a", "b"]),
        ("MultiEdit", {"edits": [{"old_string": "a", "new_string": "b"}, {"old_string": "", "new_string": "c"}]}, {},
         ["b", "c"]),
        ("Edit", {"old_string": "a", "new_string": "b"}, {"structuredPatch": [{"lines": ["-a", "+other"]}]}, ["other"]),
        ("Edit", {"old_string": "a", "new_string": ""}, {}, []),
        ("Bash", {"command": "sed -i s/a/b/ x"}, {}, None),
    ],
)  # fmt: skip
def test_the_lines_of_an_edit_are_those_that_it_added(tool, given, told, expected):
    used = assistant(at=START, content=[use(name=tool, file_path="/w/x.py", **given)])
    one = call(claude(used, result(at=START + 1, toolUseResult=told)))
    lines = [list(edit.lines) for edit in one.edits]
    assert lines == ([] if expected is None else [numbers(expected, "x.py")])


def test_the_clients_account_of_two_results_in_one_record_is_of_neither():
    uses = [use(f"t{n}", "Edit", file_path="/w/x.py", old_string="a", new_string=f"b{n}") for n in (1, 2)]
    record = result("t1", START + 1, toolUseResult={"structuredPatch": [{"lines": ["+z"]}]})
    record["message"]["content"].append({"type": "tool_result", "tool_use_id": "t2", "content": "ok"})
    acts = claude(assistant(content=uses), record)
    assert [edit.lines for one in acts.calls for edit in one.edits] == [(hash("b1"),), (hash("b2"),)]


@settings(max_examples=200, deadline=None)
@given(values, values, values)
def test_damaged_records_of_claude_code_never_raise(content, given, told):
    edit = assistant(content=[use(name="Edit") | {"input": given}])
    claude(user(content), assistant(content=content), edit,
           result(toolUseResult=told), result(content=content), {"type": content, "message": given})  # fmt: skip


# -- Codex -------------------------------------------------------------------------------------------------------


def test_codex_says_in_its_own_event_what_a_patch_changed():
    changes = {"/w/a.py": {"type": "update", "unified_diff": "@@ -1 +1 @@\n-old\n+new\n"},
               "/w/b.py": {"type": "add", "content": "one\ntwo\n"},
               "/w/c.py": {"type": "delete", "content": "x"}}  # fmt: skip
    one = call(rollout(
        codex.item("custom_tool_call", 1, call_id="c1", name="apply_patch", input="?"),
        codex.event("patch_apply_end", 2, call_id="c1", success=True, changes=changes),
        codex.item("custom_tool_call_output", 3, call_id="c1", output="ok"),
    ))  # fmt: skip
    assert [(edit.path, list(edit.lines)) for edit in one.edits] == [
        ("/w/a.py", numbers(["new"], "")), ("/w/b.py", numbers(["one", "two"], ""))]  # fmt: skip
    assert one.model == codex.MODEL


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "custom_tool_call", "name": "apply_patch", "input": PATCH},
        {"kind": "function_call", "name": "shell", "arguments": {"command": ["apply_patch", PATCH]}},
        {
            "kind": "function_call",
            "name": "exec_command",
            "arguments": {"cmd": f"apply_patch <<'E'\n{PATCH}E"},
        },
    ],
)
def test_a_patch_that_codex_sent_is_read_where_no_event_says_what_it_changed(given):
    if "arguments" in given:
        given["arguments"] = json.dumps(given["arguments"])
    kind = given.pop("kind")
    one = call(
        rollout(
            codex.item(kind, 1, call_id="c1", **given),
            codex.item(f"{kind}_output", 2, call_id="c1", output=APPLIED),
        )
    )
    assert [(edit.path, list(edit.lines)) for edit in one.edits] == [
        ("/work/shop/a.py", numbers(["new"], "")), ("/work/shop/b/c.py", numbers(["one", "two"], ""))]  # fmt: skip


def test_newer_versions_say_it_as_an_item_and_so_the_users_words():
    change = {"/w/a.py": {"type": "update", "unified_diff": "@@ -1 +1,2 @@\n one\n+two\n", "move_path": None}}
    items = [{"type": "UserMessage", "id": "u", "content": []},
             {"type": "FileChange", "id": "c1", "changes": change, "status": "completed"}]  # fmt: skip
    acts = rollout(
        codex.event("item_completed", 1, item=items[0]),
        codex.event("user_message", 1.1, message="the same"),
        codex.item(
            "function_call", 2, call_id="c1", name="exec_command", arguments=json.dumps({"cmd": PATCH})
        ),
        codex.event("item_completed", 3, item=items[1]),
        codex.item("function_call_output", 4, call_id="c1", output=APPLIED),
    )
    assert [list(edit.lines) for edit in call(acts).edits] == [numbers(["two"], "")]
    assert len(acts.prompts) == 1


@pytest.mark.parametrize(
    "output", ["patch rejected: writing is blocked by read-only sandbox", "unsupported call: x", ""]
)
def test_a_patch_that_was_refused_changed_nothing_and_failed(output):
    one = call(rollout(
        codex.item("function_call", 1, call_id="c1", name="exec_command", arguments=json.dumps({"cmd": PATCH})),
        codex.item("function_call_output", 2, call_id="c1", output=output),
    ))  # fmt: skip
    assert (one.failed, one.edits) == (True, ())


def test_a_patch_that_failed_changed_nothing():
    one = call(rollout(
        codex.item("custom_tool_call", 1, call_id="c1", name="apply_patch", input=PATCH),
        codex.event("patch_apply_end", 2, call_id="c1", success=False),
        codex.item("custom_tool_call_output", 3, call_id="c1", output="no"),
    ))  # fmt: skip
    assert (one.failed, one.edits, one.path) == (True, (), "/work/shop/a.py")


def test_turns_of_codex_begin_with_the_users_words_and_end_where_the_user_stops_them():
    acts = rollout(codex.event("user_message", 1, message="x"), codex.event("turn_aborted", 2, reason="interrupted"),
                   codex.event("turn_aborted", 3, reason="replaced"))  # fmt: skip
    assert ([one.at for one in acts.prompts], [one.at for one in acts.stops]) == ([START + 1], [START + 2])


@settings(max_examples=200, deadline=None)
@given(values, values)
def test_damaged_records_of_codex_never_raise(one, two):
    rollout(codex.item("custom_tool_call", 1, call_id="c1", name="apply_patch", input=one),
            codex.item("function_call", 1, call_id=one, arguments=two), {"type": one, "payload": two},
            codex.event("patch_apply_end", 2, call_id="c1", success=True, changes={"/a": one, "/b": two}))  # fmt: skip


# -- tries -------------------------------------------------------------------------------------------------------


def tried(tmp_path, *records):
    path = tmp_path / f"{A}.jsonl"
    path.write_bytes(encode(records))
    book = Book(tmp_path / "history.db")
    book.feed(str(path), encode(records))
    book.commit()
    acts = reading.read(book.db, 0.0, lambda *_: None)
    book.db.close()
    return tries.answer(acts, set(acts.prompts) | {turn for turn, _ in acts.calls})


def attempt(number, at, *, tool="Edit", path="/w/a.py", failed=False, ended=1):
    used = assistant(f"m{number}", START + at, request_id=f"r{number}", session=A,
                     content=[use(f"t{number}", tool, file_path=path)])  # fmt: skip
    return [used, result(f"t{number}", START + at + ended, failed=failed or None, session=A)]


def prompt(at):
    return user("please", START + at, A)


def test_an_edit_that_failed_and_was_tried_again_is_one_edit_with_a_retry(tmp_path):
    records = [
        prompt(0),
        *attempt(1, 1, failed=True),
        *attempt(2, 3, failed=True),
        *attempt(3, 5),
        *attempt(4, 7),
    ]
    (row,) = tried(tmp_path, *records).rows
    assert (row["edits_wanted"], row["edits_first_try_rate"], row["retries_per_edit"]) == (2, 0.5, 1.0)


@pytest.mark.parametrize(
    "second",
    [
        attempt(2, 3, path="/w/b.py"),  # another file
        [prompt(2), *attempt(2, 3)],  # another turn
        attempt(2, 1.5),  # begun before the first one had failed
    ],
)
def test_what_is_no_retry_is_an_edit_of_its_own(tmp_path, second):
    (row,) = tried(tmp_path, prompt(0), *attempt(1, 1, failed=True), *second).rows
    assert (row["edits_wanted"], row["retries_per_edit"]) == (2, 0.0)


def test_other_tools_are_counted_by_their_name(tmp_path):
    (row,) = tried(tmp_path, prompt(0), *attempt(1, 1, tool="Bash", path=None, failed=True),
                   *attempt(2, 3, tool="Read", path=None), *attempt(3, 5, tool="Bash", path=None)).rows  # fmt: skip
    assert (row["tool_calls_wanted"], row["tools_first_try_rate"], row["retries_per_tool_call"]) == (
        2,
        0.5,
        0.5,
    )
    assert (row["edits_wanted"], row["edits_first_try_rate"]) == (0, None)


def test_a_turn_that_the_user_stopped_counts_once(tmp_path):
    stop = [user("[Request interrupted by user]", START + at, A) for at in (3, 4)]
    found = tried(tmp_path, prompt(0), *attempt(1, 1), *stop, prompt(10), *attempt(2, 11))
    (row,) = found.rows
    assert (row["turns"], row["interrupted_turns"], row["interrupted_rate"]) == (2, 1, 0.5)
    assert found.whole["interrupted_turns"] == 1
