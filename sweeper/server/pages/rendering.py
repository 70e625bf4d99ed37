"""Pages out of templates, with the headers that keep them to themselves."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from shlex import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

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


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


# StrictUndefined: a misspelt name is an error in a test, not an empty cell for a person
PAGES = Environment(loader=PackageLoader("sweeper.server.pages"), autoescape=True, undefined=StrictUndefined)
PAGES.filters.update(number=_number, moment=_moment, duration=_duration, shell=quote)
PAGES.globals.update(asset=assets.address, has_asset=assets.has)
PAGES.filters.update(svg=lambda figure: Markup(figure.inline()))  # noqa: S704 figures escape what they write


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Fill in a template."""
    content = PAGES.get_template(template).render(**values)
    return HTMLResponse(content, status_code=status, headers={"Content-Security-Policy": POLICY})
