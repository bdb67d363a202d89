"""The way back to the app: the one configured Redirect URL, with what the platform adds to it."""

from urllib.parse import urlencode, urlsplit

from evergrant_sandbox import switches
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world.app import App


def granted(app: App, positions: Switches, *, code: str, state: str | None, region: str) -> str:
    """Where the browser goes after Authorize. The state is echoed unchanged, and absent when there was none."""
    parameters = [("code", code)]
    if positions.of(switches.EXTRA_CALLBACK_PARAMETERS) == "on":
        parameters = [("app_key", app.key), *parameters, ("locale", "en"), ("shop_region", region)]
    if state is not None:
        parameters.append(("state", state))
    return _extended(app.redirect_url, parameters)


def refused(app: App, positions: Switches, *, state: str | None) -> str:
    """Where the browser goes after Discard: `code` is the literal word null."""
    parameters = [("code", "null"), ("error", positions.of(switches.REFUSAL_ERROR))]
    if state is not None and positions.of(switches.STATE_ON_REFUSAL) == "returned":
        parameters.append(("state", state))
    return _extended(app.redirect_url, parameters)


def _extended(url: str, parameters: list[tuple[str, str]]) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return parts._replace(query=query).geturl()
