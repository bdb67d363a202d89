"""A window in front of a sandbox alone; at the end it may not have complained of a script or a policy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from tests.sandbox.program import Program


@contextmanager
def window(chromium: Browser, program: Program, **given: Any) -> Iterator[Page]:
    """Somebody's browser with one window."""
    context = chromium.new_context(base_url=program.base, **given)
    heard: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda said: heard.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert [] == heard
