"""All rooms of Partner Center."""

from starlette.routing import Route
from starlette.types import ASGIApp

from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center.api_testing import ApiTestingTool
from evergrant_sandbox.partner_center.app_pages import AppPages
from evergrant_sandbox.partner_center.creating import Creating
from evergrant_sandbox.partner_center.development_shops import DevelopmentShops
from evergrant_sandbox.partner_center.help import Help
from evergrant_sandbox.partner_center.home import Home
from evergrant_sandbox.partner_center.managing import Managing
from evergrant_sandbox.partner_center.reviewing import Reviewing
from evergrant_sandbox.partner_center.sample_notices import SampleNotices
from evergrant_sandbox.partner_center.signing_in import SigningIn
from evergrant_sandbox.partner_center.webhook_log import WebhookLog
from evergrant_sandbox.platform import Platform

_ROOMS = (
    SigningIn,
    Home,
    Creating,
    AppPages,
    Reviewing,
    DevelopmentShops,
    Managing,
    WebhookLog,
    SampleNotices,
    Help,
)


def routes(platform: Platform, pages: Pages, signed_api: ASGIApp) -> list[Route]:
    """Every route of Partner Center. The signed API is there for the tool that tries it."""
    tool = ApiTestingTool(platform, pages, signed_api)
    return [*(route for room in _ROOMS for route in room(platform, pages).routes()), *tool.routes()]
