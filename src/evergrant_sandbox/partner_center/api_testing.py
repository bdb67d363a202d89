"""API Testing Tool: an app, a test account, an endpoint; the page shows the signed call and the platform's answer."""

import json
import re
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from evergrant_sandbox.book import grants, pairs
from evergrant_sandbox.endpoints.endpoint import Cipher, Endpoint
from evergrant_sandbox.endpoints.table import FAMILIES
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center import development_shops, trial
from evergrant_sandbox.partner_center.desk import Desk, at_desk
from evergrant_sandbox.partner_center.development_shops import TestAccount
from evergrant_sandbox.partner_center.trial import Heard, Trial
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.tokens import Half

PATH = "/partner/api-testing-tool"

# What the tool puts into every call itself.
_ITS_OWN = frozenset({"app_key", "timestamp", "sign", "access_token"})
_LONGEST_TOKEN = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was entered, and what is wrong with it, by field. The token is never shown again."""

    app: str = ""
    account: str = ""
    endpoint: str = ""
    parameters: str = ""
    body: str = ""
    faults: dict[str, str] = field(default_factory=dict)


class ApiTestingTool:
    """The tool."""

    def __init__(self, platform: Platform, pages: Pages, signed_api: ASGIApp) -> None:
        self._platform = platform
        self._pages = pages
        self._signed_api = signed_api
        listed = [endpoint for family in FAMILIES for endpoint in family(platform).endpoints()]
        self._endpoints = {f"{each.method} {each.path}": each for each in listed}

    def routes(self) -> list[Route]:
        """Its routes."""
        return [at_desk(self._platform, self._pages, PATH, ("GET", "POST"), self.show)]

    async def show(self, desk: Desk) -> Response:
        """The form; after it was sent also the call and its answer."""
        given = desk.door.request.query_params
        if desk.door.request.method == "GET":
            return self._page(desk, Form(app=given.get("app", ""), account=given.get("account", "")))
        made = self._read(desk, await desk.form())
        if isinstance(made, Form):
            return self._page(desk, made)
        form, call = made
        client = desk.door.request.client
        heard = await trial.ask(self._signed_api, call, address=client.host if client else "")
        return self._page(desk, form, call, heard)

    def _page(self, desk: Desk, form: Form, call: Trial | None = None, heard: Heard | None = None) -> Response:
        return desk.page(
            "partner_center/api_testing_tool.html",
            status=422 if form.faults else 200,
            form=form,
            apps=desk.apps(),
            accounts=development_shops.all_of(desk),
            endpoints=[(name, each) for name, each in self._endpoints.items() if each.exists()],
            call=call,
            heard=heard,
        )

    def _read(self, desk: Desk, fields: dict[str, str]) -> Form | tuple[Form, Trial]:
        """The call to make, or the form with what is wrong with it."""
        faults: dict[str, str] = {}
        app = next((each for each in desk.apps() if each.key == fields.get("app")), None)
        if app is None:
            faults["app"] = "Choose one of your apps."
        chosen = fields.get("account", "")
        account = next((each for each in development_shops.all_of(desk) if each.seller.id == chosen), None)
        token = self._token(app, account, fields, faults)
        endpoint = self._endpoints.get(fields.get("endpoint", ""))
        if endpoint is None:
            faults["endpoint"] = "Choose an endpoint from the list."
        query = _query(fields, faults)
        body = _body(fields, endpoint, faults)
        path = _path(endpoint, query, faults) if endpoint else ""
        form = Form(
            app=fields.get("app", ""),
            account=chosen,
            endpoint=fields.get("endpoint", ""),
            parameters=fields.get("parameters", ""),
            body=fields.get("body", ""),
            faults=faults,
        )
        if faults or app is None or endpoint is None:
            return form
        if account and endpoint.cipher is not Cipher.UNWANTED:
            query.setdefault("shop_cipher", account.shop.cipher)
        url = desk.door.request.url
        return form, Trial(
            app=app,
            method=endpoint.method,
            path=path,
            query={"app_key": app.key, "timestamp": str(desk.door.now), **query},
            body=body,
            token=token,
            base=f"{url.scheme}://{url.netloc}",
        )

    def _token(
        self, app: App | None, account: TestAccount | None, fields: dict[str, str], faults: dict[str, str]
    ) -> str:
        pasted = fields.get("token", "").strip()
        if pasted:
            if not (pasted.isascii() and pasted.isprintable()) or " " in pasted or len(pasted) > _LONGEST_TOKEN:
                faults["token"] = "Paste the access token alone, without quotes or spaces."  # noqa: S105  (a sentence)
            return pasted
        if account is None:
            faults["account"] = "Choose a test account, or paste an access token."
            return ""
        found = self._newest(app, account) if app else ""
        if app and not found:
            faults["account"] = (
                f"{account.seller.name} has no access token for {app.name} yet. Generate one under Development Shops,"
                " Manage account."
            )
        return found

    def _newest(self, app: App, account: TestAccount) -> str:
        """The newest access token the account's authorization has given the app; empty if there is none."""
        book, now = self._platform.book, self._platform.clock.now()
        given = sorted(
            grants.of_seller(book, app_key=app.key, seller_id=account.seller.id),
            key=lambda grant: (grant.is_alive(now), grant.granted_at),
        )
        seal = pairs.newest(book, given[-1].id).access if given else None
        return self._platform.mint.token(Half.ACCESS, prefix=given[-1].prefix, seal=seal) if seal else ""


def _query(fields: dict[str, str], faults: dict[str, str]) -> dict[str, str]:
    query, odd = trial.parameters(fields.get("parameters", ""))
    if odd is not None:
        faults["parameters"] = f"Write each parameter on a line of its own, as name=value. This is none: {odd[:60]}"
    elif taken := sorted(_ITS_OWN & set(query)):
        faults["parameters"] = f"The tool adds {', '.join(taken)} by itself; leave it out."
    return query


def _body(fields: dict[str, str], endpoint: Endpoint | None, faults: dict[str, str]) -> bytes:
    text = fields.get("body", "").strip()
    if not text:
        return b""
    if endpoint and endpoint.method == "GET":
        faults["body"] = "A GET call has no body; leave it empty."
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        faults["body"] = f"The body is not valid JSON: {error}."
    return text.encode()


def _path(endpoint: Endpoint, query: dict[str, str], faults: dict[str, str]) -> str:
    """The path with its ids, which are taken out of the parameters."""
    path = endpoint.path
    for name in re.findall(r"\{(\w+)\}", endpoint.path):
        value = query.pop(name, "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
            faults.setdefault("parameters", f"The path needs an id: add a line {name}=… to the parameters.")
        path = path.replace(f"{{{name}}}", value)
    return path
