"""The check of the exporter: where metrics are served or should be, at which port, or why not.

It reads the configuration and the published state; it asks no port.
"""

from aitop import config
from aitop.fleet.service import MISSING
from aitop.install.findings import RESTART, Context, Results, fail, ok, warn


def exporter(context: Context) -> Results:
    """Nothing where no metrics are served."""
    try:
        settings = config.load()
    except config.ConfigError:
        return  # the check of the configuration says so
    doctor = (context.state or {}).get("doctor")
    door = doctor.get("fleet") if isinstance(doctor, dict) else None
    if not isinstance(door, dict):
        if settings["fleet.enabled"]:
            yield warn("fleet.enabled is true, but the listener serves no metrics", RESTART)
        return
    problem, port = door.get("problem"), door.get("port")
    if problem:
        missing = str(problem).startswith(MISSING)
        yield fail(str(problem), f"then {RESTART}" if missing else "set fleet.port in the configuration")
    if port:
        yield ok(f"metrics are served at {settings['fleet.address']}:{port}")
