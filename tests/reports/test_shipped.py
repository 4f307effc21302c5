"""What became of the lines that agents wrote: git's word, counted twice; the cost adds up to the total."""

import json
import os
import random
import subprocess
import sys
from collections import Counter

import pytest
from golden.home import environment
from hypothesis import given
from hypothesis import strategies as st
from support.agent_work import AgentWork
from support.examples import examples
from support.lines import START, append, result, usage, use, user
from support.worlds import SESSIONS, Book

from aitop.reports import formats, git
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter
from aitop.reports.shipped import answer, reading
from aitop.reports.table import Style
from aitop.segments.money import Currency

DAY = 86_400
A, B = SESSIONS[:2]


class World:
    """A history, and clients that work in repositories below one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.book = Book(folder / "history.db")
        self.works = []

    def work(self, name="shop", session=A, start=START):
        path = self.folder / "p" / "-w" / f"{session}.jsonl"
        os.makedirs(path.parent, exist_ok=True)
        self.works.append(AgentWork(self.folder / name, path, session, start))
        return self.works[-1]

    def answered(self, start=START - DAY, **wanted):
        """The report, after the history has read the transcripts."""
        for path in {work.path for work in self.works if os.path.exists(work.path)}:
            with open(path, "rb") as file:
                self.book.now = max(self.book.now, START + DAY)
                self.book.feed(path, file.read())
        self.book.commit()
        asker = Asker(self.book.db, Filter(**wanted), (), {})
        acts = reading.read(self.book.db, 0.0, lambda *_: None)
        return answer.answer(asker, start, START + 40 * DAY, acts, lambda *_: None)

    def whole(self):
        return self.book.db.execute("SELECT count(*), sum(cost) FROM response").fetchone()


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.book.db.close()


@pytest.fixture
def shop(world):
    return world.work().begin()


def lines(found):
    return {row["fate"]: row["lines"] for row in found.rows if row["lines"]}


def costs(found):
    return {row["fate"]: round(row["cost_usd"] * 1e12) for row in found.rows}


# -- fates -------------------------------------------------------------------------------------------------------


def test_a_line_that_a_later_commit_holds_survived(world, shop):
    shop.prompt()
    shop.write("a.py", "one\ntwo\n")
    shop.commit()
    assert lines(world.answered()) == {"survived": 2}


def test_a_line_that_stood_there_before_is_not_the_edits(world, shop):
    shop.save("a.py", "one\ntwo\n")
    shop.commit()
    shop.prompt()
    shop.edit("a.py", "two\n", "two\nthree\n")
    shop.commit()
    assert lines(world.answered()) == {"survived": 1}


def test_a_line_in_a_commit_before_the_edit_is_no_proof_of_it(world, shop):
    shop.save("a.py", "one\n")
    shop.commit()
    shop.prompt()
    shop.write("a.py", "one\n", patch=["+one"])
    shop.save("a.py", "other\n")
    shop.commit()
    shop.save("a.py", "one\n")
    shop.git("checkout", "-q", "HEAD~1", "--", "a.py")
    assert lines(world.answered()) == {"not committed yet": 1}


def test_a_line_that_a_revert_took_back_is_reverted(world, shop):
    shop.prompt()
    shop.write("a.py", "one\ntwo\n")
    shop.commit()
    shop.git("revert", "--no-edit", "HEAD", at=shop.tick())
    assert lines(world.answered()) == {"reverted": 2}


def test_a_line_that_was_written_over_before_a_commit_was_never_committed(world, shop):
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.edit("a.py", "one\n", "two\n")
    shop.commit()
    assert lines(world.answered()) == {"survived": 1, "never committed": 1}


def test_of_two_edits_that_wrote_the_same_line_the_newer_one_survived(world, shop):
    shop.prompt()
    shop.write("a.py", "x = 1\n", usage=usage(1000))
    shop.edit("a.py", "x = 1\n", "x = 2\n", usage=usage(1000))
    shop.prompt()
    shop.edit("a.py", "x = 2\n", "x = 1\n", usage=usage(10_000))
    shop.commit()
    found = world.answered()
    assert lines(found) == {"survived": 1, "never committed": 2}
    assert costs(found)["survived"] > costs(found)["never committed"]


def test_a_line_in_the_working_tree_is_not_committed_yet(world, shop):
    shop.prompt()
    shop.write("a.py", "one\n")
    assert lines(world.answered()) == {"not committed yet": 1}


def test_a_line_on_a_branch_is_not_merged_until_it_is(world, shop):
    shop.git("checkout", "-q", "-b", "fix")
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.commit()
    assert lines(world.answered()) == {"not merged": 1}
    shop.git("checkout", "-q", "main")
    assert lines(world.answered()) == {"not merged": 1}
    shop.git("merge", "-q", "--squash", "fix")
    shop.git("commit", "-q", "-m", "A title (#1)", at=shop.tick())
    shop.git("branch", "-q", "-D", "fix")
    assert lines(world.answered()) == {"survived": 1}


def test_an_amended_commit_holds_an_edit_that_came_after_its_first_version(world, shop):
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.commit()
    shop.edit("a.py", "one\n", "one\ntwo\n")
    shop.git("add", "-A")
    shop.git("commit", "-q", "--amend", "--no-edit", at=shop.tick())
    assert lines(world.answered()) == {"survived": 2}


@pytest.mark.parametrize("name", ["文件/コード.py", "a b/[x]*?.py", 'quo"te.py', ":colon.py", "-dash.py"])
def test_a_file_of_any_name_is_found_again_also_under_a_newer_one(world, shop, name):
    shop.prompt()
    shop.write(name, "".join(f"line {number}\n" for number in range(9)))
    shop.commit()
    assert lines(world.answered()) == {"survived": 9}
    shop.save("x", "")
    shop.git("mv", "--", name, f"new {name.replace('/', '-')}")
    shop.commit()
    assert lines(world.answered()) == {"survived": 9}


def test_a_line_that_is_indented_anew_or_moved_within_its_file_survived(world, shop):
    shop.prompt()
    shop.write("a.py", "def one():\n  pass\nlast\n")
    shop.commit()
    shop.save("a.py", "last\n\ndef one():\n    pass\n")
    shop.commit()
    assert lines(world.answered()) == {"survived": 3}


def test_cells_of_a_notebook_are_compared_as_its_file_spells_them(world, shop):
    shop.prompt()
    shop.save("a.ipynb", '{"cells": [{"source": [\n  "import os\\n",\n  "print(\\"x\\")"\n]}]}\n')
    given = {
        "notebook_path": f"{shop.root}/a.ipynb",
        "new_source": 'import os\nprint("x")',
        "edit_mode": "replace",
    }
    shop._call("NotebookEdit", given, False, None, None)
    shop.commit()
    assert lines(world.answered()) == {"survived": 2}


def test_the_clients_patch_says_what_was_written_also_in_several_places(world, shop):
    shop.save("a.py", "x\nkeep\nx\n")
    shop.commit()
    shop.prompt()
    shop.save("a.py", "y\nkeep\ny\n")
    given = {"file_path": f"{shop.root}/a.py", "old_string": "x", "new_string": "y", "replace_all": True}
    shop._call("Edit", given, False, None, ["-x", "+y", " keep", "-x", "+y"])
    shop.commit()
    assert lines(world.answered()) == {"survived": 2}


def test_an_edit_that_failed_wrote_nothing(world, shop):
    shop.prompt()
    shop.edit("a.py", "none", "one\n", failed=True)
    found = world.answered()
    assert lines(found) == {}
    assert [row["fate"] for row in found.rows] == ["not attributed"]


# -- repositories ------------------------------------------------------------------------------------------------


def test_without_a_repository_the_fate_is_unknown_and_no_zero(world):
    work = world.work()
    work.prompt()
    work.write("a.py", "one\n")
    (row,) = world.answered().rows
    assert (row["fate"], row["lines"], row["no_repository_usd"]) == ("unknown", 1, row["spent_usd"])
    assert row["spent_usd"] > 0


def test_a_folder_that_is_gone_is_unknown_though_one_above_it_is_a_repository(world, tmp_path):
    home = world.work("home").begin()
    work = world.work("home/gone")
    work.prompt()
    work.write("a.py", "one\n")
    os.unlink(f"{work.root}/a.py")
    os.rmdir(work.root)
    home.commit()
    assert lines(world.answered()) == {"unknown": 1}


def test_a_transcript_that_is_gone_leaves_its_cost_unknown(world, shop):
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.commit()
    world.answered()
    os.unlink(shop.path)
    world.works.clear()
    (row,) = world.answered().rows
    assert (row["fate"], row["lines"], row["no_record_usd"]) == ("unknown", None, row["spent_usd"])


def test_a_worktree_belongs_to_its_repository_also_once_it_is_removed(world, shop):
    shop.git("worktree", "add", "-q", "-b", "fix", f"{shop.root}/.claude/worktrees/fix")
    work = world.work("shop/.claude/worktrees/fix", B)
    work.prompt()
    work.write("a.py", "one\n")
    work.commit()
    assert lines(world.answered()) == {"not merged": 1}
    shop.git("merge", "-q", "fix")
    assert lines(world.answered()) == {"survived": 1}
    shop.git("worktree", "remove", "--force", work.root)
    assert lines(world.answered()) == {"survived": 1}


def test_a_submodule_is_a_repository_of_its_own(world, shop, tmp_path):
    inner = world.work("inner", B).begin()
    shop.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.root, "part")
    shop.commit()
    work = world.work("shop/part")
    work.prompt()
    work.write("a.py", "one\n")
    work.commit()
    assert lines(world.answered()) == {"survived": 1}


def test_a_detached_head_beside_main_is_not_merged(world, shop):
    shop.git("checkout", "-q", "--detach")
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.commit()
    assert lines(world.answered()) == {"not merged": 1}


def test_a_repository_without_a_commit_has_work_that_is_not_committed_yet(world):
    work = world.work()
    work.git("init", "-q")
    work.prompt()
    work.write("a.py", "one\n")
    assert lines(world.answered()) == {"not committed yet": 1}


def test_in_a_shallow_clone_new_lines_survive_and_old_ones_prove_nothing(world, shop):
    shop.save("a.py", "old\n")
    shop.commit()
    clone = world.work("clone", B, start=shop.at + 100)
    clone.git("clone", "-q", "--depth=1", f"file://{shop.root}", ".")
    clone.prompt()
    clone.write("a.py", "old\nnew\n", patch=["+old", "+new"])
    clone.commit()
    assert lines(world.answered()) == {"survived": 1, "never committed": 1}


def test_work_in_a_bare_repository_is_unknown(world):
    work = world.work()
    work.git("init", "-q", "--bare")
    work.prompt()
    work.write("note", "one\n")
    assert lines(world.answered()) == {"unknown": 1}


@pytest.mark.slow
def test_where_git_takes_too_long_the_fate_is_unknown(world, shop, monkeypatch):
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.commit()
    slow = '#!/bin/sh\ncase "$*" in *blame*) exec sleep 9;; esac\nexec \'%s\' "$@"\n'
    program = world.folder / "bin" / "git"
    os.makedirs(program.parent)
    program.write_text(slow % subprocess.check_output(["which", "git"], text=True).strip())
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(git, "TIMEOUT_SECONDS", 2.0)
    (row,) = world.answered().rows
    assert (row["fate"], row["too_long_usd"]) == ("unknown", row["spent_usd"])


def test_an_answer_of_git_that_is_too_long_is_no_answer(world, shop):
    assert git.ask(shop.root, "rev-parse", "HEAD", most=41)
    with pytest.raises(git.TooLongError):
        git.ask(shop.root, "rev-parse", "HEAD", most=40)


def test_no_filter_hook_or_program_of_the_repository_runs(world, shop):
    trap = world.folder / "trapped"
    shop.save(".gitattributes", "* diff=trap filter=trap textconv=trap\n")
    for key in (
        "diff.trap.textconv",
        "diff.trap.command",
        "filter.trap.smudge",
        "filter.trap.process",
        "core.fsmonitor",
        "core.pager",
    ):
        shop.git("config", key, f"touch {trap}; cat")
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.git("-c", "core.fsmonitor=false", "add", "-A")
    shop.git("-c", "core.fsmonitor=false", "commit", "-q", "-m", "x", at=shop.tick())
    shop.edit("a.py", "one\n", "two\n")
    trap.unlink(missing_ok=True)
    assert lines(world.answered()) == {"survived": 1, "not committed yet": 1}
    assert not trap.exists()


# -- odd contents and settings: right, or unknown with the reason ------------------------------------------------


def written(work, text="one\ntwo\n"):
    """A turn that wrote a file which is committed."""
    work.prompt()
    work.write("a.py", text)
    work.commit()


def replaced(work):
    """The same, and a later commit that took it out."""
    written(work)
    work.save("a.py", "other\n")
    work.commit()


def commit_without_a_date(work):
    tree, parent = (work.git("rev-parse", name).strip() for name in ("HEAD^{tree}", "HEAD"))
    with open(f"{work.root}/odd", "w") as file:
        file.write(f"tree {tree}\nparent {parent}\nauthor a <a@b> xx\ncommitter a <a@b>\n\nodd\n")
    commit = work.git("hash-object", "-t", "commit", "-w", "--literally", "odd").strip()
    os.unlink(f"{work.root}/odd")
    return commit


def test_the_path_of_a_repository_may_hold_a_new_line(world):
    work = world.work("sh\nop").begin()
    written(work)
    assert lines(world.answered()) == {"survived": 2}


def test_a_line_may_hold_the_byte_that_separates_records(world, shop):
    written(shop, "one\ntw\x1eo\n")
    shop.save("a.py", "other\n")
    shop.commit()
    assert lines(world.answered()) == {"reverted": 2}


def test_a_branch_without_a_date_leaves_the_report_alone(world, shop):
    written(shop)
    with open(f"{shop.root}/.git/refs/heads/odd", "w") as file:
        file.write(commit_without_a_date(shop) + "\n")
    assert lines(world.answered()) == {"survived": 2}


def test_what_git_cannot_say_is_unknown_with_its_reason_and_the_rest_goes_on(world, shop):
    written(shop)
    other = world.work("other", B).begin()
    written(other)
    blob = other.git("rev-parse", "HEAD:a.py").strip()
    os.unlink(f"{other.root}/.git/objects/{blob[:2]}/{blob[2:]}")
    answer = world.answered()
    assert lines(answer) == {"survived": 2, "unknown": 2}
    (row,) = [row for row in answer.rows if row["fate"] == "unknown"]
    assert row["git_failed_usd"] == row["spent_usd"]
    (error,) = row["git_errors"]
    assert error.startswith(f"{other.root}: ")


def test_a_branch_that_cannot_be_read_is_no_proof_that_nothing_was_committed(world, shop):
    written(shop)
    with open(f"{shop.root}/.git/refs/heads/main", "w") as file:
        file.write("no commit\n")
    answer = world.answered()
    assert lines(answer) == {"unknown": 2}
    assert [row["git_errors"] for row in answer.rows if row["fate"] == "unknown"] != [[]]


def test_without_git_the_reason_is_not_that_there_is_no_repository(world, shop, monkeypatch):
    written(shop)
    monkeypatch.setenv("PATH", "/nowhere")
    (row,) = [row for row in world.answered().rows if row["fate"] == "unknown"]
    assert (row["no_repository_usd"], row["git_failed_usd"]) == (None, row["spent_usd"])
    assert row["git_errors"] == [f"{shop.root}: git is not there"]


@pytest.mark.parametrize("key", ["blame.ignoreRevsFile", "diff.orderFile"])
def test_a_setting_that_names_an_absent_file_changes_no_fate(world, shop, key):
    written(shop)
    shop.git("config", key, "absent")
    assert lines(world.answered()) == {"survived": 2}


def test_a_commit_that_blame_is_told_to_ignore_still_holds_its_lines(world, shop):
    shop.save("a.py", "old\n")
    shop.commit()
    written(shop)
    shop.save(".ignored", shop.git("rev-parse", "HEAD"))
    shop.git("config", "blame.ignoreRevsFile", ".ignored")
    assert lines(world.answered()) == {"survived": 2}


@pytest.mark.parametrize(
    ("key", "value"), [("log.showRoot", "false"), ("diff.orderFile", "absent"), ("log.follow", "true")]
)
def test_a_setting_for_logs_changes_no_fate(world, key, value):
    work = world.work()
    work.git("init", "-q", "-b", "main")
    replaced(work)
    work.git("config", key, value)
    assert lines(world.answered()) == {"reverted": 2}


# -- money -------------------------------------------------------------------------------------------------------


def test_a_turn_costs_its_lines_in_proportion_and_one_without_lines_is_not_attributed(world, shop):
    shop.prompt()
    shop.answer(usage(1000))
    shop.write("a.py", "1\n2\n3\n", usage=usage(3000))
    shop.edit("a.py", "3\n", "4\n", usage=usage(1))
    shop.prompt("why?")
    shop.answer(usage(500))
    shop.commit()
    found = world.answered()
    total = world.whole()[1]
    asked = world.book.db.execute("SELECT cost FROM response ORDER BY at DESC LIMIT 1").fetchone()[0]
    assert costs(found) == {
        "survived": total - asked - (total - asked) // 4,
        "never committed": (total - asked) // 4,
        "not attributed": asked,
    }


def test_an_edit_of_a_resumed_session_counts_once_where_its_response_does(world, shop):
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.commit()
    copy = world.work(session=B)
    with open(shop.path, "rb") as file:
        append(copy.path, file.read().replace(A.encode(), B.encode()))
    copy.at = shop.at + 1000
    copy.prompt()
    copy.answer(usage(7000))
    found = world.answered()
    assert lines(found) == {"survived": 1}
    newest = world.book.db.execute("SELECT cost FROM response ORDER BY at DESC LIMIT 1").fetchone()[0]
    assert costs(found)["not attributed"] == newest


def test_a_project_alone_is_reported(world, shop):
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.commit()
    other = world.work("other", B).begin()
    other.prompt()
    other.write("b.py", "one\ntwo\n")
    assert lines(world.answered(project=shop.root)) == {"survived": 1}
    assert lines(world.answered()) == {"survived": 1, "not committed yet": 2}


def test_each_part_of_a_lower_bound_is_one(world):
    money = answer.Money(cost=10, requests=1, understated=1)
    parts = dict(answer._divided(money, {("survived", ""): 1, ("reverted", ""): 3}))
    assert [part.understated for part in parts.values()] == [1, 1]
    assert (sum(part.cost for part in parts.values()), sum(part.requests for part in parts.values())) == (
        10,
        1,
    )


def test_for_people_it_is_a_table_with_the_reasons_below(world, shop):
    shop.prompt()
    shop.write("a.py", "one\n")
    shop.commit()
    work = world.work("none", B)
    work.prompt()
    work.write("b.py", "one\n")
    found = world.answered()
    text = formats.render(found, "table", found.rows, Style(Currency()))
    assert text.index("survived") < text.index("unknown")
    (note,) = answer.notes(found.rows, lambda usd, _: f"${usd:.2f}")
    assert note.endswith("no repository")


# -- a repository with known truth -------------------------------------------------------------------------------


def live(world, seed, steps):
    """A random life of three files; each line is unique. Returns line → the fate that was played."""
    chance = random.Random(seed)
    works = [world.work("shop", session) for session in (A, B)]
    works[0].begin()
    names, number, written, committed = {"a.py": [], "b.py": [], "c.py": []}, 0, set(), set()
    clock = START
    for _ in range(steps):
        work = chance.choice(works)
        work.at = clock = clock + 100
        name, act = chance.choice(sorted(names)), chance.random()
        text = names[name]
        if act < 0.15:
            work.prompt()
        elif act < 0.25:
            work.answer(usage(chance.randrange(1, 5000)))
        elif act < 0.65:
            new = [f"line {number + extra}" for extra in range(chance.randrange(1, 6))]
            number += len(new)
            at, gone = chance.randrange(len(text) + 1), chance.randrange(3)
            minus = text[at : at + gone]
            text[at : at + gone] = new
            written |= set(new)
            work.write(name, "\n".join([*text, ""]), usage=usage(chance.randrange(1, 9000)),
                       patch=[f"-{line}" for line in minus] + [f"+{line}" for line in new])  # fmt: skip
        elif act < 0.75:  # the user deletes
            del text[: chance.randrange(3)]
            work.save(name, "\n".join([*text, ""]))
        elif act < 0.80 and text:
            moved = f"moved-{int(clock)}-{name[-4:]}"
            if os.path.exists(os.path.join(work.root, name)):
                work.commit()
                committed |= {line for of in names.values() for line in of}
                work.git("mv", name, moved)
                names[moved] = names.pop(name)
                work.commit()
        else:
            work.commit()
            committed |= {line for of in names.values() for line in of}
        clock = max(clock, work.at)
    head = {line for name in names for line in at_head(works[0], name)}
    now = {line for of in names.values() for line in of}

    def fate(line):
        if line in head:
            return "survived"
        if line in now:
            return "not committed yet"
        return "reverted" if line in committed else "never committed"

    return works[0], names, {line: fate(line) for line in written}


def at_head(work, name):
    try:
        return work.git("show", f"HEAD:{name}").split("\n")
    except subprocess.CalledProcessError:
        return []


@examples(12)
@given(st.integers(0, 1 << 30), st.integers(5, 45))
@pytest.mark.slow
def test_the_fates_are_those_that_were_played_and_the_cost_adds_up(tmp_path_factory, seed, steps):
    world = World(tmp_path_factory.mktemp("w"))
    work, names, truth = live(world, seed, steps)
    found = world.answered()
    assert lines(found) == dict(Counter(truth.values()))
    # the same by git's own word
    blamed = [line.partition(")")[2][1:] for name in names for line in blame(work, name)]
    assert lines(found).get("survived", 0) == len(set(blamed) & set(truth))
    requests, cost = world.whole()
    assert (found.total.requests, found.total.cost) == (requests, cost or 0)
    assert sum(row["requests"] for row in found.rows) == requests
    assert sum(costs(found).values()) == (cost or 0)
    world.book.db.close()


def blame(work, name):
    try:
        return [line for line in work.git("blame", "HEAD", "--", name).split("\n") if line]
    except subprocess.CalledProcessError:
        return []


def test_words_of_commands_and_of_the_client_begin_no_turn(world, shop):
    shop.prompt()
    shop.write("a.py", "one\n", usage=usage(1000))
    for words in ("[Request interrupted by user]", "<local-command-stdout>x</local-command-stdout>"):
        append(shop.path, user(words, shop.tick(), A, cwd=shop.root))
    append(shop.path, user("x", shop.tick(), A, isMeta=True), user("x", shop.tick(), A, isSidechain=True))
    append(shop.path, result("toolu_x", shop.tick(), session=A))
    shop.answer(usage(1000))
    shop.commit()
    assert set(costs(world.answered())) == {"survived"}


def test_a_call_without_a_result_changed_nothing(world, shop):
    shop.prompt()
    shop._answer([use("toolu_open", "Write", file_path=f"{shop.root}/a.py", content="one\n")])
    assert [row["fate"] for row in world.answered().rows] == ["not attributed"]


# -- the command -------------------------------------------------------------------------------------------------


def asked(home, *words):
    done = subprocess.run([sys.executable, "-m", "aitop", "report", *words], capture_output=True, timeout=60,
                          env=environment(str(home), CLAUDE_CONFIG_DIR=f"{home}/claude"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.mark.slow
def test_the_command_adds_up_to_the_total_of_every_report(tmp_path):
    path = tmp_path / "claude" / "projects" / "-w" / f"{A}.jsonl"
    os.makedirs(path.parent)
    work = AgentWork(tmp_path / "shop", path, A).begin()
    work.prompt()
    work.write("文.py", "one\ntwo\n", usage=usage(1234))
    work.edit("文.py", "two\n", "three\n", failed=True)
    work.edit("文.py", "two\n", "three\n", usage=usage(777))
    work.commit()
    work.prompt()
    work.answer()
    found = json.loads(asked(tmp_path, "shipped", "--since", "2026-09-20", "--json"))
    whole = json.loads(asked(tmp_path, "models", "--json"))
    assert {row["fate"]: row["lines"] for row in found} == {
        "survived": 2, "never committed": 1, "not attributed": None}  # fmt: skip
    assert sum(row["spent_usd"] for row in found) == pytest.approx(
        sum(row["spent_usd"] for row in whole), abs=1e-9
    )
    (row,) = json.loads(asked(tmp_path, "tries", "--since", "2026-09-20", "--json"))
    assert (row["turns"], row["edits_wanted"], row["retries_per_edit"]) == (2, 2, 0.5)
    table = asked(tmp_path, "tries", "--since", "2026-09-20")
    *_, total, note = table.splitlines()
    assert total.split()[:2] == ["total", "2"]
    calls = json.loads(asked(tmp_path, "tools", "--json"))
    whole = sum(row["tool_calls"] for row in calls)
    assert note.startswith(f"{whole} calls: 2 first tries, 1 retry, 0 without a result")
