"""The fuzzer's targets one by one: the corpus passes, hypothesis shrinks what does not, the judge does judge.

`python -m tests.fuzz` is the same in quantity; the inputs that once broke something are in the corpus.
"""

import json
import time
from random import Random

import pytest
from fuzz import corpus, judge, mutate, runner
from fuzz.targets import all_targets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TARGETS = all_targets()
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(mutate.STRINGS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture
def at(monkeypatch):
    """A target at its own time; ended at the end."""
    made = []

    def make(name):
        target = TARGETS[name]()
        made.append(target)
        monkeypatch.setattr(time, "time", lambda: target.now)
        return target

    yield make
    monkeypatch.undo()
    for target in made:
        target.close()


@pytest.mark.parametrize("name", TARGETS)
def test_the_whole_corpus_passes(at, name):
    target = at(name)
    seeds = corpus.raw(name)
    assert seeds
    for data in seeds:
        target.check(data)
        target.settle()


@pytest.mark.parametrize("name", TARGETS)
def test_an_input_is_made_again_by_its_seed_and_number(at, name):
    target = at(name)
    first, again, other = (target.make(Random(f"{seed}:{name}:7")) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_whatsoever_break_it(at, name):
    target = at(name)

    @given(st.binary(max_size=400) | ANY.map(_written))
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    def check(data):
        target.check(data)
        target.settle()

    check()


@pytest.mark.parametrize(
    "name", [name for name in TARGETS if name not in ("configuration", "otlp-protobuf", "fleet-door")]
)
def test_no_value_in_any_place_of_a_record_breaks_it(at, name):
    """Hypothesis chooses the record, the place and the value, and shrinks all three."""
    target = at(name)
    seeds = [json.dumps(seed) for seed in _documents(name) if seed]

    @given(st.sampled_from(seeds), st.integers(0, 10_000), ANY)
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    def check(seed, place, value):
        whole = json.loads(seed)
        places = mutate._places(whole)
        container, key = places[place % len(places)]
        container[key] = value
        lines = whole if isinstance(whole, list) else [whole]
        head = b"logs\n" if name == "otlp-json" else b""
        target.check(head + b"\n".join(map(_written, lines)) + b"\n")
        target.settle()

    check()


def _documents(name):
    if name == "otlp-json":
        return corpus.parsed([data.partition(b"\n")[2] for data in corpus.raw(name)])
    return corpus.documents(name) + corpus.lines(name)


def _written(value):
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


# -- the judge -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("display", "text"),
    [
        ("plain", "a\x1b[2J"), ("plain", "a\nb"), ("plain", "a\x9b31m"), ("plain", "a\u202eb"), ("plain", "\ud800"),
        ("fish", "\x1b]0;x\x07"), ("fish", "\x1b[2J"), ("statusline", "\x1b[?1049h"), ("statusline", "a\rb"),
        ("tmux", "#(touch x)"), ("tmux", "###{pane_id}"), ("tmux", "#[fg=blue]"), ("tmux", "#"), ("tmux", "a\x07"),
        ("bash", "$(id)"), ("bash", "`id`"), ("bash", "\\w"), ("bash", "!!"), ("bash", "\x1b[31m"),
        ("zsh", "$(id)"), ("zsh", "%n"), ("zsh", "%{x%}"), ("zsh", "\\"), ("zsh", "%F{blue}"),
        ("waybar", '{"text":"<i>x</i>","tooltip":"","percentage":0}'),
        ("waybar", '{"text":"<b>","tooltip":"","percentage":0}'),
        ("waybar", '{"text":"\\u001b[2J","tooltip":"","percentage":0}'), ("waybar", "{}\n{}"),
        ("waybar", '{"text":"x"}'),
        ("waybar", '{"text":"","tooltip":"","percentage":101}'),
        ("swiftbar", "x | bash=/bin/sh"), ("swiftbar", "x\n--\n---x"), ("swiftbar", "x\na | b | c"),
        ("swiftbar", "--x"),
        ("swiftbar", "x\nRefreshing | refresh=true"), ("swiftbar", "x\n\x1b[2J"),
    ],
)  # fmt: skip
def test_the_judge_knows_what_a_host_would_do(display, text):
    with pytest.raises(judge.Broken):
        judge.line(display, text)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -1, -0.5, [{"x": -1}], {"a": {"b": [float("-inf")]}}]
)
def test_the_judge_knows_a_number_nobody_can_have_spent(value):
    with pytest.raises(judge.Broken):
        judge.numbers({"cost_usd": value})
    judge.numbers({"cost_usd": [0, 1.5, 2**62], "left_usd": -2.0, "text": "-1"})


# -- the runner ------------------------------------------------------------------------------------------------------


class Faulty:
    """A target with a fault that shows at once, one that shows later, or one that never ends."""

    name, now = "faulty", 0.0

    def __init__(self, kind):
        self.kind, self.taken = kind, []

    def make(self, random):
        return b"%d" % random.randrange(10**6)

    def check(self, data):
        self.taken.append(data)
        if self.kind == "raises" and data.endswith(b"7"):
            raise ValueError(data)
        while self.kind == "endless":
            pass

    def settle(self):
        if self.kind == "sours" and any(data.endswith(b"77") for data in self.taken):
            raise judge.Broken("sour")

    def fresh(self):
        self.taken.clear()

    def close(self):
        pass


@pytest.mark.parametrize(("kind", "last"), [("raises", b"7"), ("sours", b"77")])
def test_a_fault_is_found_and_the_input_that_alone_leads_to_it_is_kept(tmp_path, monkeypatch, kind, last):
    monkeypatch.setattr(runner, "all_targets", lambda: {"faulty": lambda: Faulty(kind)})
    monkeypatch.setattr(runner, "_alone", lambda: None)
    found = runner.run("faulty", 0, 400, 1, str(tmp_path / "kept"))
    assert found.findings
    kept = [path.read_bytes() for path in (tmp_path / "kept").iterdir() if path.suffix != ".txt"]
    assert kept
    assert all(data.endswith(last) and b"\n" not in data for data in kept)


def test_an_input_that_never_ends_is_a_finding(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "all_targets", lambda: {"faulty": lambda: Faulty("endless")})
    monkeypatch.setattr(runner, "_alone", lambda: None)
    monkeypatch.setattr(judge, "SECONDS", 0.05)
    monkeypatch.setattr(runner, "MOST_FINDINGS", 1)
    assert "processor time" in runner.run("faulty", 0, 3, 1, str(tmp_path / "kept")).findings[0]


def test_sound_targets_have_no_findings_and_count_every_input(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_alone", lambda: None)
    found = runner.run("status-line", 0, 120, 1, str(tmp_path / "kept"))
    assert (found.tried, found.findings, (tmp_path / "kept").exists()) == (120, (), False)
