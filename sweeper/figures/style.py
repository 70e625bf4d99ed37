"""How figures look, in light and in dark: two greys, one accent, five states, and a scale for values."""

from __future__ import annotations

SHADES = 8
"""Steps of the scale of values; the last is the best."""

# viridis (van der Walt and Smith), each end cut where the page's ground would swallow it, and turned so that the best
# stands out on both grounds: darkest on white, brightest on black
_LIGHT = ("#a5d42c", "#5ec962", "#2ab07f", "#21918c", "#2c728e", "#3b528b", "#472d7b", "#440154")
_DARK = ("#3b528b", "#31688e", "#287c8e", "#21918c", "#35b779", "#5ec962", "#addc30", "#fde725")

_LIGHT_INK = (
    "--fig-ground:#fff;--fig-ink:#1d2430;--fig-soft:#68707d;--fig-line:#e3e6eb;--fig-hue:#2563eb;"
    "--fig-finished:#2f9e68;--fig-running:#1d4ed8;--fig-stopped:#d29922;--fig-failed:#b3261e;--fig-waiting:#b9c0ca;"
)
_DARK_INK = (
    "--fig-ground:#1b2028;--fig-ink:#e6e9ee;--fig-soft:#9aa3b0;--fig-line:#323945;--fig-hue:#7aa5ff;"
    "--fig-finished:#4fb787;--fig-running:#8fb4ff;--fig-stopped:#e9c46a;--fig-failed:#ef6b62;--fig-waiting:#5a6472;"
)
_FATES = ("finished", "running", "stopped", "failed", "waiting")


def _shades(colours: tuple[str, ...]) -> str:
    return "".join(f"--fig-v{i}:{colour};" for i, colour in enumerate(colours))


_CLASSES = (
    ".figure{max-width:100%;height:auto;display:block;font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;"
    "font-variant-numeric:tabular-nums}"
    ".figure path{fill:none;stroke-linejoin:round;stroke-linecap:round}"
    ".figure text{fill:var(--fig-soft)}"
    ".figure text.head{fill:var(--fig-ink);font-size:13px;font-weight:600}"
    ".figure text.name{fill:var(--fig-ink)}"
    ".figure text.small{font-size:11px}"
    ".figure text.tick{fill:var(--fig-ink);paint-order:stroke;stroke:var(--fig-ground);stroke-width:3px}"
    ".figure .back{fill:var(--fig-ground)}"
    ".figure .grid{stroke:var(--fig-line)}"
    ".figure .axis{stroke:var(--fig-soft);stroke-width:1}"
    ".figure .rung{stroke:var(--fig-soft);stroke-dasharray:2 4}"
    ".figure .run{stroke-width:1;opacity:.4}"
    ".figure .faint{opacity:.22}"
    ".figure .top{stroke-width:2.2;opacity:1}"
    ".figure .run:hover,.figure .top:hover{stroke:var(--fig-hue);stroke-width:3.5;opacity:1}"
    ".figure .bare{stroke:var(--fig-hue)}"
    ".figure .early{stroke-dasharray:5 3}"
    ".figure .lost{stroke:var(--fig-failed);stroke-width:1;stroke-dasharray:2 3;opacity:.6}"
    ".figure .best{stroke:var(--fig-hue);stroke-width:2.2}"
    ".figure .dots{stroke-width:5;opacity:.65}"
    ".figure .hole{fill:var(--fig-ground);stroke:var(--fig-hue);stroke-width:2}"
    ".figure .ring{stroke:var(--fig-ground);stroke-width:1.2}"
    ".figure .cross{stroke-width:1.6}"
    ".figure .bar{fill:var(--fig-hue)}.figure .bar2{fill:var(--fig-hue);opacity:.4}"
    ".figure rect:hover{opacity:.75}.figure .back:hover{opacity:1}"
)

STYLE = (
    f":root,svg.figure{{{_LIGHT_INK}{_shades(_LIGHT)}}}"
    f"@media (prefers-color-scheme:dark){{:root,svg.figure{{{_DARK_INK}{_shades(_DARK)}}}}}"
    + _CLASSES
    + "".join(f".figure .v{i}{{stroke:var(--fig-v{i})}}.figure .d{i}{{fill:var(--fig-v{i})}}" for i in range(SHADES))
    + "".join(
        f".figure .{fate}{{fill:var(--fig-{fate})}}.figure .{fate}-line{{stroke:var(--fig-{fate})}}" for fate in _FATES
    )
)
"""The style of all figures: a page has it once, a file of its own has it inside."""
