"""Guides for sellers and teams: Markdown files, shown as pages and given as they are at the same address with `.md`."""

import itertools
import re
from dataclasses import dataclass
from functools import cache

from fastapi import APIRouter, Request
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import Response

from evergrant.core.errors import NotFoundError
from evergrant.web import look

GUIDES = look.HERE / "guides"

router = APIRouter(prefix="/help", include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """One guide. Its file's name is its address, its first heading its title."""

    name: str
    title: str
    markdown: str

    @property
    def html(self) -> Markup:
        """The guide as a page's content; every heading can be linked to."""
        tokens = MarkdownIt().parse(self.markdown)
        for opening, words in itertools.pairwise(tokens):
            if opening.type == "heading_open":
                opening.attrSet("id", _anchor(words.content))
        return Markup(MarkdownIt().renderer.render(tokens, MarkdownIt().options, {}))  # noqa: S704  (our own files)


@cache
def guides() -> dict[str, Guide]:
    """All guides by their names."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(GUIDES.glob("*.md"))}
    return {name: Guide(name=name, title=_title(text), markdown=text) for name, text in found.items()}


@router.get("")
async def index(request: Request) -> Response:
    """The list of guides. They hold no secret, so nobody has to log in."""
    return look.page(request, "help.html", {"guides": list(guides().values())})


@router.get("/{name}")
async def show(request: Request, name: str) -> Response:
    """One guide, as a page or as Markdown.

    Raises:
        NotFoundError: there is no such guide.
    """
    guide = guides().get(name.removesuffix(".md"))
    if guide is None:
        raise NotFoundError
    if name.endswith(".md"):
        return Response(guide.markdown, media_type="text/markdown; charset=utf-8")
    return look.page(request, "guide.html", {"guide": guide})


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")


def _anchor(heading: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", heading.lower()))
