"""`sweeper doctor`."""

from __future__ import annotations

from sweeper.cli.findings import report
from sweeper.cli.options import AsJson, BackendOption
from sweeper.settings import Settings


def doctor(backend: BackendOption = "auto", as_json: AsJson = False) -> None:
    """Look at everything that a launch needs, and say what to do where it is missing.

    Changes nothing and starts nothing. Exits with 1 if a check fails; warnings alone are no failure.

    Example: sweeper doctor
    """
    from sweeper.doctor.probes import examine  # the probes bring NVML and requests

    report(list(examine(Settings.from_env(), backend)), as_json=as_json)
