"""`aitop energy`: electricity and carbon of the models' output, as ranges with their method."""

import json
from datetime import datetime, timedelta

import click

from aitop.config import ConfigError
from aitop.config import load as load_config
from aitop.energy.estimate import SOURCE, Estimator, MissingError, Span
from aitop.model import periods
from aitop.model.json_types import JsonObject


@click.command()
@click.option("--since", metavar="DATE", help="First day, inclusive: 2026-01-31, yesterday, 7d.")
@click.option("--until", metavar="DATE", help="Last day, inclusive.")
@click.option(
    "--zone",
    metavar="ZONE",
    help="Country of the electricity: FRA, USA; WOR for the world. Default: by provider.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One object; energy in kWh, carbon in kg CO2 equivalent."
)
@click.option("--factors", is_flag=True, hidden=True, help="Write what the listener multiplies with.")
def energy(since: str | None, until: str | None, zone: str | None, as_json: bool, factors: bool) -> None:
    """Estimate the electricity and carbon of the output, by model, with EcoLogits.

    Every figure is a range, because makers do not publish the size of their models. Only output tokens
    count: the method has no figure for input and cached tokens. The command needs the extra `energy`.
    With it installed, {energy} and {co2} in a template show the same of today, kept by the listener.
    """
    from aitop.history.query import sums_since
    from aitop.reports.ready import history

    start, end = _day(since, "--since"), _day(until, "--until", days=1)
    try:
        estimator = Estimator(zone or load_config()["energy.zone"] or None)
    except (MissingError, ConfigError) as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.UsageError(f"--zone: {error}") from error
    if factors:
        _write_factors(estimator)
        return
    rows = sums_since.outputs(history().db, start, end)
    estimates = estimated(estimator, rows)
    click.echo(json.dumps(estimates, indent=1) if as_json else shown(estimates))


def _write_factors(estimator: Estimator) -> None:
    """For each model of the history. Raises click.ClickException."""
    import sqlite3
    from contextlib import closing

    from aitop import paths
    from aitop.energy import factors
    from aitop.history import schema
    from aitop.history.query import sums_since

    try:
        with closing(schema.connect_read_only(paths.in_home(paths.HISTORY))) as db:
            factors.write(estimator, [model for model, _, _ in sums_since.outputs(db, None, None)])
    except (schema.HistoryError, sqlite3.Error, OSError) as error:
        raise click.ClickException(str(error)) from error


def estimated(estimator: Estimator, rows: list[tuple[str, int, int]]) -> JsonObject:
    """The ranges of each known model and their sum (kWh, kg). Unknown models are listed and not in the sum."""
    models, unknown = [], []
    energy_sum = carbon_sum = Span(0.0, 0.0)
    for model, requests, output in rows:
        impact = estimator.impact(model, requests, output)
        if impact is None:
            unknown.append({"model": model, "requests": requests, "output_tokens": output})
            continue
        energy_sum, carbon_sum = energy_sum.plus(impact.energy), carbon_sum.plus(impact.carbon)
        models.append({
            "model": model, "as_model": impact.as_model, "requests": requests, "output_tokens": output,
            "energy_kwh": list(impact.energy), "carbon_kg": list(impact.carbon),
        })  # fmt: skip
    return {
        "method": estimator.method,
        "source": SOURCE,
        "zone": estimator.zone,
        "models": models,
        "unknown_models": unknown,
        "energy_kwh": list(energy_sum),
        "carbon_kg": list(carbon_sum),
    }


def shown(estimates: JsonObject) -> str:
    """The estimates as a table with notes."""
    from aitop.reports.rows import clean
    from aitop.segments import text_table

    rows = [
        (
            clean(row["model"]),
            f"{row['output_tokens']:,}",
            _energy(row["energy_kwh"]),
            _carbon(row["carbon_kg"]),
        )
        for row in estimates["models"]
    ]
    total = ("total", "", _energy(estimates["energy_kwh"]), _carbon(estimates["carbon_kg"]))
    lines = text_table.lines(rows, "lr", heads=("model", "output", "energy", "CO2e"), foot=total)
    notes = [f"Method: {estimates['method']}; {estimates['source']}"]
    notes.append(f"Electricity: {estimates['zone'] or 'the mix EcoLogits assumes for each provider'}")
    notes.append("Input and cached tokens are not in it: the method has no figure for them")
    if estimates["unknown_models"]:
        names = ", ".join(clean(row["model"]) for row in estimates["unknown_models"])
        notes.append(f"EcoLogits does not know these models, so they are left out: {names}")
    return "\n".join([*lines, "", *notes])


def _energy(kwh: list[float]) -> str:
    return _range([value * 1000 for value in kwh], "Wh") if kwh[1] < 1 else _range(kwh, "kWh")


def _carbon(kg: list[float]) -> str:
    return _range([value * 1000 for value in kg], "g") if kg[1] < 1 else _range(kg, "kg")


def _range(values: list[float], unit: str) -> str:
    least, most = (f"{value:,.3g}" if value < 1000 else f"{value:,.0f}" for value in values)
    return f"{least} to {most} {unit}"


def _day(text: str | None, option: str, days: int = 0) -> float | None:
    from aitop.reports import filters

    if text is None:
        return None
    today = datetime.now().date()  # noqa: DTZ005 - local days
    try:
        return periods.midnight(filters.day(text, today, None) + timedelta(days=days))
    except (ValueError, OverflowError, OSError) as error:
        raise click.UsageError(f"{option}: {text} is no day such as 2026-01-31, yesterday or 7d") from error
