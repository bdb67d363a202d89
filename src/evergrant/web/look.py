"""Renders pages: Jinja2 with everything escaped, icons as inline SVG, instants as words with the exact time behind them."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from evergrant.web import access, words
from evergrant.web.api.shapes import instant

HERE = Path(__file__).parent
STATIC = HERE / "static"
ICONS = STATIC / "assets" / "icons"


@cache
def icon(name: str, label: str = "") -> Markup:
    """An icon of the Tabler set. Without a label it is decoration and hidden from screen readers."""
    svg = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    told = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    frame = '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    return Markup(f'{frame}stroke-linecap="round" stroke-linejoin="round" {told}>{body}</svg>')  # noqa: S704


def when(moment: datetime | None, now: datetime) -> Markup:
    """An instant in words, relative to now; the exact one on hover and focus."""
    if moment is None:
        return Markup("never")
    text = words.relative(moment, now)
    return _time(moment, text)


def on(moment: datetime | None) -> Markup:
    """The day of an instant; the exact one on hover and focus."""
    return Markup("") if moment is None else _time(moment, words.day(moment))


def _time(moment: datetime, text: str) -> Markup:
    return Markup('<time datetime="{}" title="{}" tabindex="0">{}</time>').format(
        instant(moment), words.exact(moment), text
    )


@cache
def environment() -> Environment:
    """The templates, with what they may call; each is compiled once a process."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(icon=icon, when=when, on=on, words=words)
    return made


def page(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A rendered page, never kept by caches."""
    templates: Environment = request.app.state.templates
    html = templates.get_template(template).render(**context)
    return HTMLResponse(html, status_code=status, headers={"cache-control": "no-store", **(headers or {})})


def signed_in(request: Request, person: Any, **context: Any) -> dict[str, Any]:
    """What every page of somebody logged in shows: who they are, and the token their forms carry."""
    cookie = request.cookies[access.desk_of(request).cookie(access.LOGIN_COOKIE)]
    return {"person": person, "csrf": access.csrf_of(cookie), "path": request.scope["path"], **context}
