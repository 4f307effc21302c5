"""The configuration: every key once, and every mistake told with file, line and key."""

import ast
import json
import re
import tomllib

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from support.sources import sources

from aitop import config, paths
from aitop.config import KEYS, Config, ConfigError, Segment
from aitop.config.budgets_and_tags import TagRule
from aitop.config.schema import schema
from aitop.fleet import labels
from aitop.listener.cli import config as command


def parse(text):
    return config.parse(text.encode(), "/etc/x.toml")


def problem(text):
    with pytest.raises(ConfigError) as found:
        parse(text)
    return str(found.value)


def test_the_printed_defaults_change_nothing():
    assert parse(config.defaults_toml()) == Config()


def test_the_printed_defaults_with_every_comment_taken_off_are_valid():
    lines = config.defaults_toml().splitlines()
    start = lines.index("# [segments.NAME]")
    taken = [line[2:] if n >= start and line.startswith("# ") else line for n, line in enumerate(lines)]
    taken = [
        line for line in taken if not line.startswith(("Your own", "What may", "A tag for", "APIs behind"))
    ]
    found = parse("\n".join(taken))
    assert [s.name for s in found.segments] == ["NAME"]
    assert found.price_overrides["my-model"]["output"] == 5.0
    assert [(b.name, b.period, b.limit_usd) for b in found.budgets] == [("NAME", "month", 200.0)]
    assert found.tags == (TagRule("NAME", ("~/work/client-a",), ("release/*",)),)
    assert found.upstreams["ollama"] == "http://127.0.0.1:11434"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[gateway.upstreams]\nlab = 'lab'", "/etc/x.toml:2: gateway.upstreams.lab: must be a URL"),
        ("[gateway.upstreams]\n'a/b' = 'http://x'", "an upstream's name is letters, digits"),
        ("[gateway]\nupstreams = 1", "/etc/x.toml:2: gateway.upstreams: must be a table"),
        ("[gateway]\nport = 0", "/etc/x.toml:2: gateway.port: must be"),
        ("[gateway]\nhost = 'x'", "gateway.host: unknown key"),
    ],
)
def test_a_wrong_upstream_is_named_with_its_line(text, message):
    with pytest.raises(config.ConfigError, match=re.escape(message)):
        parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[budgets.b]\nlimit_usd = 1",
            "/etc/x.toml:1: budgets.b: needs period = one of day, week, month, session",
        ),
        ("[budgets.b]\nperiod = 'year'", "/etc/x.toml:2: budgets.b.period: needs period"),
        ("[budgets.b]\nperiod = 'day'", "budgets.b: needs limit_usd = a number above 0"),
        ("[budgets.b]\nperiod = 'day'\nlimit_usd = 0", "/etc/x.toml:3: budgets.b.limit_usd: needs limit_usd"),
        (
            "[budgets.b]\nperiod = 'day'\nlimit_usd = nan",
            "/etc/x.toml:3: budgets.b.limit_usd: needs limit_usd",
        ),
        (
            "[budgets.b]\nperiod = 'day'\nlimit = 1",
            "/etc/x.toml:3: budgets.b.limit: unknown key; known are period",
        ),
        ("[budgets.b]\nperiod = 'day'\nlimit_usd = 1\ntag = 'a'\nproject = 'b'", "not of both"),
        ("[budgets]\nb = 1", "/etc/x.toml:2: budgets.b: must be a table"),
        ("[tags.t]\nfolders = 'x'", "/etc/x.toml:2: tags.t.folders: must be a list of patterns"),
        ("[tags.t]", "/etc/x.toml:1: tags.t: needs folders or branches"),
    ],
)
def test_a_wrong_budget_or_tag_says_where_and_what(text, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(text)


def test_every_key_is_told_with_a_meaning():
    text = config.defaults_toml()
    for key in KEYS:
        assert key.help in text
        assert key.path.rpartition(".")[2] in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("biling = 'api'", "/etc/x.toml:1: biling: unknown key (did you mean billing?)"),
        (
            "\n\n[alerts]\nburn_warning = 'high'",
            "/etc/x.toml:4: alerts.burn_warning: must be a number or auto, not 'high'",
        ),
        ("[alerts]\nburn_warning = true", "/etc/x.toml:2: alerts.burn_warning: must be a number"),
        ("[alerts]\nburn_warning = nan", "/etc/x.toml:2: alerts.burn_warning: must be a number"),
        ("[alerts]\nburn_warning = -1", "/etc/x.toml:2: alerts.burn_warning: must be 0 or more"),
        ("[currency]\nrate = 0", "/etc/x.toml:2: currency.rate: must be"),
        ("[currency]\nsymbol = 3", "/etc/x.toml:2: currency.symbol: must be a string"),
        ("billing = 'free'", "/etc/x.toml:1: billing: must be one of auto, api, subscription"),
        ("[listener]\nautostart = 'yes'", "/etc/x.toml:2: listener.autostart: must be true or false"),
        ("[claude]\nconfig_dirs = '~/x'", "/etc/x.toml:2: claude.config_dirs: must be a list of strings"),
        ("[claude]\nconfig_dirs = [1]", "/etc/x.toml:2: claude.config_dirs: must be a list of strings"),
        (
            "[alert]\nburn_warning = 1",
            "/etc/x.toml:2: alert.burn_warning: unknown key (did you mean alerts.burn_warning?)",
        ),
        ("[nothing]", "/etc/x.toml:1: nothing: unknown key"),
        ("alerts = 3", "/etc/x.toml:1: alerts: unknown key"),
        ("[segments.mine]\ndisplay = 'vim'", "/etc/x.toml:2: segments.mine.display: must be one of tmux"),
        ("[segments.mine]\ncolour = 'red'", "/etc/x.toml:2: segments.mine.colour: unknown key"),
        ("[segments.mine]\npreset = 'cost'", "/etc/x.toml:1: segments.mine: needs display"),
        ("[segments]\nmine = 3", "/etc/x.toml:2: segments.mine: must be a table"),
        ("[segments.'../x']\ndisplay = 'tmux'", "segments.../x: a segment's name is letters"),
        ("segments = 3", "/etc/x.toml:1: segments: must be a table"),
        ("[prices.models.m]\ninput = 1", "/etc/x.toml:1: prices.models.m: needs output"),
        (
            "[prices.models.m]\ninput = -1\noutput = 1",
            "/etc/x.toml:2: prices.models.m.input: must be a number of USD",
        ),
        (
            "[prices.models.m]\ninputs = 1\noutput = 1",
            "prices.models.m.inputs: unknown key (did you mean input?)",
        ),
        (
            "[prices.models.m]\ninput = 1\noutput = 1\nfrom = 'May'",
            "/etc/x.toml:4: prices.models.m.from: must be a date",
        ),
        ("[prices]\nmodels = 3", "/etc/x.toml:2: prices.models: must be a table"),
        ("billing = ", "/etc/x.toml: "),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(text, told):
    assert told in problem(text)


def test_bytes_that_are_no_text_are_told():
    with pytest.raises(ConfigError, match="/etc/x.toml: "):
        config.parse(b"\xff\xfe", "/etc/x.toml")


def test_a_good_file_is_taken_whole():
    found = parse(
        """billing = "api"
[currency]
symbol = "€"
rate = 0.92
[alerts]
burn_warning = 3
[segments.tmux]
preset = "burn"
[segments.mine]
display = "waybar"
format = "{cost_today}"
[prices]
update = "daily"
[prices.models."my.model-1"]
input = 1
output = 2.5
from = 2026-01-01
"""
    )
    assert (found["billing"], found["currency.rate"], found["alerts.burn_warning"]) == ("api", 0.92, 3)
    assert found.segments == (
        Segment("tmux", "tmux", "burn", None),
        Segment("mine", "waybar", None, "{cost_today}"),
    )
    assert found.price_overrides["my.model-1"]["output"] == 2.5
    assert found["prices.update"] == "daily"
    assert found["preset"] == "full"


def test_a_missing_file_means_all_defaults(tmp_path, monkeypatch):
    monkeypatch.setenv("AITOP_CONFIG", str(tmp_path / "none.toml"))
    assert config.load() == Config()


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(str(tmp_path))


def test_where_the_file_is(monkeypatch, tmp_path):
    assert paths.config_file() == str(tmp_path / "user" / ".config" / "aitop" / "config.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    assert paths.config_file() == "/x/aitop/config.toml"
    monkeypatch.setenv("AITOP_CONFIG", "/y.toml")
    assert paths.config_file() == "/y.toml"


def test_the_defaults_are_toml_of_the_right_types():
    data = tomllib.loads(config.defaults_toml())
    assert data["alerts"]["burn_warning"] == "auto"
    assert data["claude"]["config_dirs"] == []


# -- the schema and the code agree with the table of keys ----------------------------------------------------------


def outside():
    """Every module but those of the configuration's own room."""
    return [source for source in sources() if not source.name.startswith("config/")]


TABLES = sorted({key.path.partition(".")[0] for key in KEYS if "." in key.path})
FILES = (".py", ".key", ".json", ".jsonl", ".lock", ".token", ".db")  # names of files look like keys
# Where the code puts a key together: file → (its table, the names that it may put behind the dot).
PUT_TOGETHER = {"live/alerts/edge.py": ("alerts", ()), "fleet/labels.py": ("fleet", labels.SHAPED)}


def called(node):
    """A name's or an attribute's last part."""
    return getattr(node, "attr", None) or getattr(node, "id", "")


def _of_edge(function):
    return isinstance(function, ast.Attribute) and called(function.value) == "edge"


def texts(node):
    return [
        one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]


def keys_in_code():
    """(file, key) of every text that looks like a key, wherever it stands: in a subscript, a tuple or a table."""
    form = re.compile(rf"({'|'.join(TABLES)})\.[a-z0-9_]+")
    for source in outside():
        for node in source.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and form.fullmatch(node.value):
                if not node.value.endswith(FILES):
                    yield source.name, node.value
            elif isinstance(node, ast.Subscript) and called(node.value).endswith("config"):
                whole = [
                    text for text in texts(node.slice) if not text.endswith(".")
                ]  # else see `keys_put_together`
                yield from ((source.name, text) for text in whole)
            elif isinstance(node, ast.Call) and called(node.func) == "number" and _of_edge(node.func):
                yield from ((source.name, f"alerts.{text}") for text in texts(node))


def keys_put_together():
    """(file, table) of each key that the code makes of a table's name and something else."""
    for source in outside():
        for node in source.nodes:
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                table, dot, rest = str(node.values[0].value).partition(".")
                if dot and not rest and table in TABLES and isinstance(node.values[1], ast.FormattedValue):
                    yield source.name, table


def test_the_code_asks_for_no_key_that_the_table_lacks():
    asked = list(keys_in_code())
    assert len(asked) > 100
    unknown = [(name, key) for name, key in asked if key not in config.BY_PATH]
    assert unknown == [], "(file, key): aitop/config/keys.py has no such key"


def test_a_key_is_put_together_only_where_each_of_its_names_is_known():
    assert dict(keys_put_together()) == {name: table for name, (table, _) in PUT_TOGETHER.items()}
    made = [f"{table}.{name}" for table, names in PUT_TOGETHER.values() for name in names]
    assert made
    assert [key for key in made if key not in config.BY_PATH] == []


def test_a_misspelt_key_is_an_error_and_not_zero():
    with pytest.raises(KeyError):
        Config()["alerts.burn_warnings"]


def test_no_code_reads_past_the_check_of_a_key():
    past = [
        source.name
        for source in outside()
        for node in source.nodes
        if isinstance(node, ast.Call)
        and called(node.func) == "get"
        and ast.unparse(node.func).endswith(("config.values.get", "settings.values.get"))
    ]
    assert past == []


def validator():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def test_the_schema_takes_the_printed_defaults_and_every_example_in_them():
    check = validator()
    assert list(check.iter_errors(tomllib.loads(config.defaults_toml()))) == []
    text = re.sub(r"^# (?=\[|\w+ = |\"?\w+\"? = )", "", config.defaults_toml(), flags=re.MULTILINE)
    assert "[budgets.NAME]\nperiod" in text
    assert list(check.iter_errors(tomllib.loads(text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "biling = 'api'", "billing = 'card'", "[alerts]\nburn_warning = -1", "[alerts]\nburn_warnings = 1",
        "[otel]\nport = 0", "[claude]\nconfig_dirs = 'x'", "[segments.a]\ndisplay = 'x'",
        "[segments.'a/b']\npreset = 'cost'",
        "[providers.codex]\nfolder = 'x'", "[budgets.b]\nperiod = 'day'", "[budgets.b]\nperiod = 'year'\nlimit_usd = 1",
        "[tags.t]\nfolders = 'x'", "[gateway.upstreams]\nlab = 'lab'", "[prices.models.m]\ninput = 1",
        "[prices.models.m]\ninput = 1\noutput = 20000",
    ],
)  # fmt: skip
def test_the_schema_and_the_reader_refuse_the_same_mistakes(text):
    assert list(validator().iter_errors(tomllib.loads(text)))
    problem(text)


@given(st.sampled_from(KEYS), st.sampled_from([True, -1, 0, 0.5, 7, 70_000, "x", "auto", ["a"], [1], {}]))
def test_the_schema_and_the_reader_agree_on_every_value_of_every_key(key, value):
    head, _, name = key.path.rpartition(".")
    data = {name: value}
    data = {head: data} if head else data
    by_schema = not list(validator().iter_errors(data))
    try:
        parse(tomli_w(head, name, value))
    except ConfigError:
        assert not by_schema
    else:
        assert by_schema


def tomli_w(head, name, value):
    import tomlkit

    document = tomlkit.document()
    document[head or name] = {name: value} if head else value
    return tomlkit.dumps(document)


def test_the_command_prints_the_schema():
    done = CliRunner().invoke(command, ["--schema"])
    assert json.loads(done.output) == schema()
