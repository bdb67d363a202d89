"""A person at a browser without JavaScript, in front of a sandbox: the one of this process, unless a client says otherwise."""

from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from lxml import html

from tests.sandbox.kit import HERE, Client, Reply, Sandbox


class Visitor:
    """A person at a browser without JavaScript: reads labels, fills fields, presses buttons, follows redirects."""

    def __init__(self, sandbox: Sandbox | None = None, *, client: Client | None = None) -> None:
        self.client = client or Client(sandbox and sandbox.application)
        self.reply = Reply(status=0, headers=[], body=b"")
        self.address = HERE
        self.trail: list[str] = []
        self._filled: dict[str, str] = {}

    @property
    def path(self) -> str:
        """The path of the page in front of the visitor."""
        return urlsplit(self.address).path

    @property
    def query(self) -> dict[str, str]:
        """The query of the address the visitor ended at."""
        return dict(parse_qsl(urlsplit(self.address).query))

    @property
    def is_away(self) -> bool:
        """Whether the visitor was sent to another site."""
        return not self.address.startswith(HERE)

    @property
    def page(self) -> html.HtmlElement:
        """The page."""
        return html.fromstring(self.reply.text)

    @property
    def heading(self) -> str:
        """The page's title, as a person reads it."""
        return _words(self.page.xpath("//h1")[0])

    @property
    def text(self) -> str:
        """All words of the page's main part."""
        return _words(self.page.xpath("//main")[0])

    @property
    def buttons(self) -> list[str]:
        """The labels of all buttons of the page's main part."""
        return [_words(each) for each in self.page.xpath("//main//button")]

    async def open(self, address: str) -> None:
        """Go to an address."""
        await self._go("GET", urljoin(HERE, address), b"")

    def fill(self, label: str, value: str) -> None:
        """Fill in, choose, check (`yes`) or uncheck (empty) the field with this label."""
        self._filled[self._field(label)] = value

    def options(self, label: str) -> list[str]:
        """What a drop-down offers."""
        name = self._field(label)
        return [_words(each) for each in self.page.xpath(f"//select[@name='{name}']/option")]

    def value(self, label: str) -> str:
        """What stands in a field."""
        name = self._field(label)
        chosen = self.page.xpath(f"//select[@name='{name}']/option[@selected]")
        if chosen:
            return _words(chosen[0])
        written = self.page.xpath(f"//textarea[@name='{name}']")
        if written:
            return str(written[0].text or "")
        return str(self.page.xpath(f"//*[@name='{name}']/@value")[0])

    async def press(self, label: str) -> None:
        """Press a button: its form is sent, and redirects within the site are followed."""
        found = [each for each in self.page.xpath("//button") if _words(each) == label]
        assert found, f"no button {label!r} among {self.buttons}"
        form = next(found[0].iterancestors("form"))
        fields = _fields_of(form)
        fields.update({name: value for name, value in self._filled.items() if name in _names_of(form)})
        fields = {name: value for name, value in fields.items() if value or name not in _checkboxes_of(form)}
        if found[0].get("name"):
            fields[found[0].get("name", "")] = found[0].get("value", "")
        method, address = str(form.get("method", "get")).upper(), urljoin(self.address, form.get("action", ""))
        if method == "GET":
            await self._go(method, f"{address}?{urlencode(fields)}", b"")
        else:
            await self._go(method, address, urlencode(fields).encode())

    async def sign_in(self, email: str, password: str = "sandbox") -> None:
        """Fill in the login page."""
        self.fill("Email or phone number", email)
        self.fill("Password", password)
        await self.press("Log in")

    async def _go(self, method: str, address: str, body: bytes) -> None:
        self._filled = {}
        self.trail = []
        headers = {"content-type": "application/x-www-form-urlencoded"}
        for _ in range(10):
            self.address = address
            self.trail.append(urlsplit(address).path)
            if self.is_away:
                return
            target = address.removeprefix(HERE)
            self.reply = await self.client.call(method, target, body=body, headers=headers)
            location = self.reply.header("location")
            if location is None:
                return
            method, address, body = "GET", urljoin(address, location), b""
        raise AssertionError("too many redirects")

    def _field(self, label: str) -> str:
        for each in self.page.xpath("//label"):
            if _words(each).startswith(label):
                target = each.get("for")
                field_of = self.page.xpath(f"//*[@id='{target}']") if target else each.xpath(".//input")
                return str(field_of[0].get("name"))
        raise AssertionError(f"no field labelled {label!r}")


def _words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def _checkboxes_of(form: html.HtmlElement) -> set[str]:
    return {str(name) for name in form.xpath(".//input[@type='checkbox']/@name")}


def _names_of(form: html.HtmlElement) -> set[str]:
    return {str(name) for name in form.xpath(".//input/@name | .//select/@name | .//textarea/@name")}


def _fields_of(form: html.HtmlElement) -> dict[str, str]:
    fields = {
        str(each.get("name")): str(each.get("value", ""))
        for each in form.xpath(".//input[@name][not(@type='checkbox')]")
    }
    fields |= {str(each.get("name")): "yes" for each in form.xpath(".//input[@type='checkbox'][@checked]")}
    fields |= {str(each.get("name")): str(each.text or "") for each in form.xpath(".//textarea[@name]")}
    for each in form.xpath(".//select[@name]"):
        chosen = each.xpath("./option[@selected]") or each.xpath("./option")
        fields[str(each.get("name"))] = str(chosen[0].get("value", _words(chosen[0])))
    return fields
