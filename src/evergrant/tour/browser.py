"""A browser without a screen: opens pages, fills their forms as a person would, by label, and presses their buttons."""

from collections.abc import Iterable
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx2
import lxml.html

PATIENCE_SECONDS = 30.0
AGAIN_SECONDS = 0.2
BUSY = frozenset({502, 503, 504})

Element = Any
"""An lxml.html element; its forms and fields are made at run time, which types do not show."""


class PageError(Exception):
    """The page does not hold what a person would look for."""


class Browser:
    """One person's browser: cookies, redirects, the page it shows."""

    def __init__(self) -> None:
        self._http = httpx2.Client(follow_redirects=True, timeout=20, trust_env=False)
        self.url = ""
        self.status = 0
        self.html: Element = lxml.html.fromstring("<html><body></body></html>")

    def open(self, url: str) -> None:
        """Go to an address."""
        self._go("GET", url, [])

    @property
    def text(self) -> str:
        """What the page says, in one line."""
        return " ".join(self.html.text_content().split())

    @property
    def heading(self) -> str:
        """What stands above the page; empty if nothing does."""
        return " ".join("".join(self.html.xpath("(.//h1)[1]//text()")).split())

    def has(self, label: str) -> bool:
        """Whether a button of that name is there."""
        return any(_is_called(found, label) for found in self._buttons())

    def asks_for_password(self) -> bool:
        """Whether the page is one to sign in on."""
        return bool(self.html.xpath(".//input[@type='password']"))

    def press(self, label: str, *, beside: dict[str, str] | None = None, **fields: str) -> None:
        """Fill the form around a button by its fields' names, tick what has to be ticked, and press the button.

        Where several buttons have that name, `beside` tells which: by fields its form holds already.

        Raises:
            PageError: there is no such button.
        """
        for button in self._buttons():
            if _is_called(button, label):
                held = dict(next(found for found in button.iterancestors("form")).form_values())
                if all(held.get(name) == value for name, value in (beside or {}).items()):
                    self._submit(button, fields)
                    return
        raise PageError(f"There is no button {label!r} on {self.url}: {self.text[:300]}")

    def _buttons(self) -> Iterable[Element]:
        for found in self.html.iter("button", "input"):
            if found.tag == "button" or found.get("type") == "submit":
                yield found

    def _submit(self, button: Element, fields: dict[str, str]) -> None:
        form = next(found for found in button.iterancestors("form"))
        for box in form.xpath(".//input[@type='checkbox']"):
            box.checked = True
        for name, value in fields.items():
            form.fields[name] = value
        values = list(form.form_values())
        if button.get("name"):
            values.append((button.get("name"), button.get("value", "")))
        action = urljoin(self.url, button.get("formaction") or form.action or self.url)
        self._go((button.get("formmethod") or form.method).upper(), action, values)

    def _go(self, method: str, url: str, values: list[tuple[str, str]]) -> None:
        answer = self._patiently(method, url, values)
        self.url, self.status = str(answer.url), answer.status_code
        self.html = lxml.html.fromstring(answer.content or b"<html></html>", base_url=self.url)

    def _patiently(self, method: str, url: str, values: list[tuple[str, str]]) -> httpx2.Response:
        """What the server says; a person waits a moment and tries again while it is away."""
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._sent(method, url, values)
            except httpx2.HTTPError:
                if monotonic() > deadline:
                    raise
            else:
                if answer.status_code not in BUSY or monotonic() > deadline:
                    return answer
            sleep(AGAIN_SECONDS)

    def _sent(self, method: str, url: str, values: list[tuple[str, str]]) -> httpx2.Response:
        if method == "GET":
            return self._http.get(f"{url}?{urlencode(values)}" if values else url)
        data: dict[str, list[str]] = {}
        for name, value in values:
            data.setdefault(name, []).append(value)
        return self._http.post(url, data=data)


def _is_called(element: Element, label: str) -> bool:
    """Whether a button's name is the label, or begins with it and goes on for those who cannot see what is beside it."""
    name = str(element.get("value", "")) if element.tag == "input" else " ".join(element.text_content().split())
    return name == label or name.startswith(f"{label} ")
