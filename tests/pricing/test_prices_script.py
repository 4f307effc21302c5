"""The package's price file is what its script makes of its sources."""

import datetime as dt
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from decimal import Decimal

import orjson
import pytest

from aitop.pricing import rows, table

SCRIPTS = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "scripts"
)


def corrections():
    found = []
    for name in ("price_corrections.toml", "price_additions.toml"):
        with open(os.path.join(SCRIPTS, name), "rb") as file:
            found += tomllib.load(file)["model"]
    return found


def test_every_corrected_row_names_its_source_and_the_day_it_was_checked():
    found = [row for model in corrections() for row in model.get("row", ())]
    assert found
    for row in found:
        assert row["source"]
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", row["checked"])


def test_every_correction_is_in_the_package():
    prices = table.load()
    for model in corrections():
        listed = prices.find(model["id"])
        assert listed is not None, f"{model['id']} is not in prices.json: run scripts/make_prices.py"
        assert listed.name == model["id"]
        assert len(listed.rows) >= len(model.get("row", ()))
        assert listed.released == model.get("released", "")


@pytest.mark.slow
def test_the_script_makes_the_same_bytes_again():
    with open(table.SNAPSHOT, "rb") as file:
        wanted = orjson.loads(file.read())["source"]
    try:
        have = f"genai-prices {importlib.metadata.version('genai-prices')}"
    except importlib.metadata.PackageNotFoundError:
        have = "no genai-prices"
    if have != wanted:
        pytest.skip(f"{have} is installed; pip install {wanted.replace(' ', '==')}")
    script = os.path.join(SCRIPTS, "make_prices.py")
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def script():
    pytest.importorskip("genai_prices", reason="pip install genai-prices")
    sys.path.insert(0, SCRIPTS)
    import make_prices

    yield make_prices
    sys.path.remove(SCRIPTS)


def info_of(script, *prices):
    """A model as genai-prices has it: (constraint, input rate) each."""
    types = script.types
    conditional = [
        types.ConditionalPrice(constraint=when, prices=types.ModelPrice(input_mtok=rate, output_mtok=rate))
        for when, rate in prices
    ]
    return types.ModelInfo(id="night", match=types.ClauseEquals(equals="night"), prices=conditional)


def between(script, start, end):
    hours = {"start_time": dt.time(start, 30), "end_time": dt.time(end, 30)}
    return script.types.TimeOfDateConstraint(**hours)


PEAKS = [(1, 4), (6, 10)]


@pytest.mark.parametrize(
    ("named", "base", "other"),
    [(PEAKS, 1, 2), (PEAKS, 2, 1), ([(16, 0)], 2, 1), ([(0, 16)], 1, 2), ([(22, 2)], 1, 2)],
    ids=["two dear spans", "two cheap spans", "a cheap night", "a dear day", "a dear midnight"],
)
def test_hours_of_a_source_are_kept_and_hold_at_every_quarter_of_a_day(script, named, base, other):
    prices = [(None, Decimal(base)), *((between(script, *span), Decimal(other)) for span in named)]
    (row,) = script.model_rows(info_of(script, *prices))
    for quarter in range(96):
        at, clock = rows.epoch("2026-11-25") + quarter * 900, quarter / 4
        inside = any(
            (start + 0.5 <= clock < end + 0.5) if start < end else not (end + 0.5 <= clock < start + 0.5)
            for start, end in named
        )
        schedule = row.off_peak.schedule if row.off_peak.holds(at) else row.standard
        assert rows.to_usd(schedule[0].rates.input) == (other if inside else base), clock


def test_hours_belong_to_the_newest_row(script):
    later = script.types.StartDateConstraint(start_date=dt.date(2026, 8, 17))
    prices = [(None, Decimal(9)), (later, Decimal(1)), (between(script, 1, 4), Decimal(2))]
    first, second = script.model_rows(info_of(script, *prices))
    assert first.off_peak is None
    assert second.off_peak.schedule[0].rates.input == rows.to_pico("", 1)


DEAR = {
    "source": "maker.example",
    "checked": "2026-11-29",
    "in": 5,
    "out": 25,
    "cr": 0.5,
    "w5": 6.25,
    "w1": 10,
}


@pytest.mark.parametrize("rate", ["cr", "w5", "w1"])
def test_a_later_row_without_a_cache_rate_of_the_one_before_is_refused(script, rate):
    later = {key: value for key, value in DEAR.items() if key != rate} | {"from": "2026-12-01"}
    models = {}
    with pytest.raises(SystemExit, match=f"maker-9: the row from 2026-12-01 lacks `{rate}`"):
        script.correct(models, {"id": "maker-9", "provider": "maker", "row": [DEAR, later]})
    script.correct(models, {"id": "maker-9", "provider": "maker", "row": [DEAR, later | {rate: 5}]})
    assert [row.start for row in models["maker-9"].rows] == ["", "2026-12-01"]


OVER = [{"tokens": 200_000, "in": 10, "out": 37.5, "cr": 1, "w5": 12.5, "w1": 20}]
VARIANTS = {"over": OVER, "fast": {"in": 30, "out": 150}, "priority": {"in": 10, "out": 50}}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_later_row_that_ends_a_variant_says_so(script, variant):
    def corrected(**more):
        later = DEAR | {"from": "2026-12-01"} | more
        models = {}
        rows_of = [DEAR | {variant: VARIANTS[variant]}, later]
        script.correct(models, {"id": "maker-9", "provider": "maker", "row": rows_of})
        return len(models["maker-9"].rows)

    said = rf"maker-9: the row from 2026-12-01 ends \['{variant}'\] of the row before it"
    with pytest.raises(SystemExit, match=said):
        corrected()
    assert corrected(ends=[variant]) == 2
    assert corrected(**{variant: VARIANTS[variant]}) == 2
    with pytest.raises(SystemExit, match="maker-9: the row from 2026-12-01 ends"):
        corrected(ends=[variant], **{variant: VARIANTS[variant]})


@pytest.mark.parametrize(
    ("rates", "named"),
    [({"in": 5e-06}, "in = 5e-06"), ({"out": 0.000025}, "out = 2.5e-05"), ({"w1": 0.0009}, "w1 = 0.0009"),
     ({"over": [OVER[0] | {"cr": 1e-6}]}, "over.cr = 1e-06"), ({"fast": {"in": 3e-5, "out": 150}}, "fast.in = 3e-05")],
)  # fmt: skip
def test_a_price_per_token_is_refused(script, rates, named):
    with pytest.raises(SystemExit, match=f"maker-9: `{named}` looks like a price per token"):
        script.correct({}, {"id": "maker-9", "provider": "maker", "row": [DEAR | rates]})


def test_a_free_model_and_the_cheapest_cache_are_no_prices_per_token(script):
    models = {}
    script.correct(
        models, {"id": "a", "provider": "maker", "row": [DEAR | {"in": 0, "out": 0, "cr": 0.0028}]}
    )
    assert models["a"].rows[0].standard[0].rates.input == 0


def test_rows_of_ours_that_would_drop_a_generated_row_are_refused_unless_it_is_named(script):
    def generated():
        body = {"rows": [{"in": 1, "out": 1}, {"from": "2026-08-17", "in": 2, "out": 2}]}
        return {"maker-9": rows.parse_model("maker-9", body, "generated")._replace(provider="maker")}

    ours = {"id": "maker-9", "row": [DEAR]}
    with pytest.raises(SystemExit, match="maker-9: genai-prices has rows that ours replace: 2026-08-17"):
        script.correct(generated(), ours)
    script.correct(generated(), ours | {"drops": ["2026-08-17"]})
    with pytest.raises(SystemExit, match="maker-9: genai-prices has rows"):
        script.correct(
            generated(),
            {"id": "maker-9", "row": [DEAR, DEAR | {"from": "2026-08-17"}], "drops": ["2026-08-17"]},
        )


def harmed(part, value):
    """An addition with one more key, or another value, at a path of keys."""
    addition = {
        "id": "maker-9", "provider": "maker", "context": 300_000,
        "row": [DEAR | {"over": [{"tokens": 1, "in": 5, "out": 25}], "fast": {"in": 5, "out": 25},
                        "off_peak": {"hours": [{"utc": "01:00-02:00"}], "in": 5, "out": 25}}],
    }  # fmt: skip
    at = addition
    *way, last = part
    for key in way:
        at = at[key]
    at[last] = value
    return addition


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (("contxt",), "contxt"),
        (("row", 0, "cache_read"), "cache_read"),
        (("row", 0, "over", 0, "cw"), "over.cw"),
        (("row", 0, "fast", "cache_read"), "fast.cache_read"),
        (("row", 0, "off_peak", "hour"), "off_peak.hour"),
        (("row", 0, "off_peak", "hours", 0, "days"), "off_peak.hours.days"),
    ],
)
def test_a_key_that_no_price_has_is_refused_by_its_file_model_and_name(script, part, named):
    with pytest.raises(SystemExit) as refused:
        script.correct({}, harmed(part, 0.3), "scripts/price_additions.toml")
    said = str(refused.value)
    assert said.startswith(f"scripts/price_additions.toml: maker-9 has the unknown key `{named}`; keys are ")


def test_the_keys_of_a_row_are_listed_where_one_is_unknown(script):
    with pytest.raises(SystemExit, match="keys are in, out, cr, w5, w1, over, from, "):
        script.correct({}, harmed(("row", 0, "cache_read"), 0.3), "scripts/price_additions.toml")


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        (("row", 0, "out"), "8", r"maker-9\.rows\[0\]\.out: '8' is not a price"),
        (("row", 0, "from"), "soon", r"maker-9\.rows\[0\]\.from: 'soon' is not a date"),
        (("row",), [], r"maker-9 has no \[\[model\.row\]\], and genai-prices has no such model"),
        (
            ("row",),
            [{"source": "x", "checked": "2026-11-29", "in": 1}],
            r"maker-9\.rows\[0\]: needs in and out",
        ),
    ],
)
def test_a_value_that_is_no_price_is_refused_by_its_file(script, part, value, words):
    with pytest.raises(SystemExit, match=f"^scripts/price_additions.toml: {words}"):
        script.correct({}, harmed(part, value), "scripts/price_additions.toml")
