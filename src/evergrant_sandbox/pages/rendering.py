"""HTML from templates, with the headers that keep a page to itself."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from evergrant_sandbox import clock
from evergrant_sandbox.clock import DAY, HOUR, MINUTE

_HERE = Path(__file__).parent.parent
STATIC = _HERE / "static"
_ICONS = STATIC / "assets" / "icons"

# No inline script or style, no frame around the page, nothing from elsewhere. `form-action` also covers where a form's
# answer redirects to, so the pages that lead back to an app add that app's origin.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; frame-ancestors 'none'; form-action {targets}"
)
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"))


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(icon=icon, instant=instant, in_words=clock.in_words)
    made.filters.update(day=day, prose=prose, rfc3339=clock.rfc3339)
    return made


class Pages:
    """Renders templates; each is compiled once a process."""

    def __init__(self) -> None:
        self._templates = _environment()

    def render(self, template: str, *, status: int = 200, leads_to: Sequence[str] = (), **what: object) -> HTMLResponse:
        """A page. `leads_to` are the addresses outside to which its forms may end up redirecting."""
        origins = [f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, leads_to)]
        policy = _POLICY.format(targets=" ".join(["'self'", *dict.fromkeys(origins)]))
        html = self._templates.get_template(template).render(**what)
        return HTMLResponse(html, status_code=status, headers={**HEADERS, "Content-Security-Policy": policy})


@cache
def icon(name: str) -> Markup:
    """A drawing of the Tabler set, put into the page itself; nothing where set-up has not fetched it."""
    path = _ICONS / f"{name}.svg"
    if not path.is_file():
        return Markup("")
    drawing = path.read_text(encoding="utf-8").replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
    return Markup(drawing)  # noqa: S704  (our own files)


def prose(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    words, *rest = str(escape(text)).split("`")
    spans = [
        f"<code>{part}</code>" if odd else part for odd, part in zip((True, False) * len(rest), rest, strict=False)
    ]
    return Markup("".join([words, *spans]))  # noqa: S704  (escaped above)


def instant(at: int, *, now: int) -> Markup:
    """A point in time as a person says it, with the exact instant behind it."""
    exact = clock.rfc3339(at)
    return Markup('<time datetime="{exact}" title="{exact}">{words}</time>').format(
        exact=exact, words=relative(at, now)
    )


def relative(at: int, now: int) -> str:
    """`in 29 days`, `3 hours ago`, `now`; far things as a date. What is to come is counted up, as the days left are."""
    distance = abs(at - now)
    if distance < MINUTE:
        return "now"
    if distance > 700 * DAY:
        return day(at)
    size, name = next((size, name) for size, name in _UNITS if distance >= size)
    words = _counted(-(-distance // size) if at > now else distance // size, name)
    return f"in {words}" if at > now else f"{words} ago"


def day(at: int) -> str:
    """A date in words: `21 November 2026`."""
    moment = clock.moment(at)
    return f"{moment.day} {moment:%B %Y}"


def roughly(seconds: int) -> str:
    """A length of time in its largest unit, rounded: `44 days`, `3 hours`; a day but for a second is `1 day`."""
    return next(
        (_counted(count, name) for size, name in _UNITS if (count := int(seconds / size + 0.5))), f"{seconds} seconds"
    )


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"
