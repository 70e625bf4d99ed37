"""Pages out of templates, with the headers that keep them to themselves."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from shlex import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from sweeper import readable
from sweeper.server.pages import assets

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What a page may load and run: files of ours, and nothing that stands in the page itself."""


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else str(value)
    return "" if value is None else str(value)


def _moment(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _ago(seconds: float, now: float | None = None) -> str:
    """Say how long ago a moment was, in the words of assets/format.js."""
    past = max(0.0, (time.time() if now is None else now) - seconds)
    if past < 5:
        return "just now"
    for unit, size, most in (("s", 1, 90), ("min", 60, 5400), ("h", 3600, 129_600)):
        if past < most:
            return f"{round(past / size)} {unit} ago"
    return f"{round(past / 86400)} days ago"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 86400:
        return readable.duration(seconds)
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days}d {hours}h"


# StrictUndefined: a misspelt name is an error in a test, not an empty cell for a person
PAGES = Environment(loader=PackageLoader("sweeper.server.pages"), autoescape=True, undefined=StrictUndefined)
PAGES.filters.update(number=_number, moment=_moment, duration=_duration, shell=quote)
PAGES.filters.update(iso=_iso, ago=_ago, size=readable.size)
PAGES.globals.update(asset=assets.address, has_asset=assets.has)


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Fill in a template."""
    content = PAGES.get_template(template).render(**values)
    return HTMLResponse(content, status_code=status, headers={"Content-Security-Policy": POLICY})
