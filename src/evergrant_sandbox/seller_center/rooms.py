"""All rooms of Seller Center."""

from starlette.routing import Route

from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center.app_store import AppStore
from evergrant_sandbox.seller_center.cancelling import Cancelling
from evergrant_sandbox.seller_center.help_pages import HelpPages
from evergrant_sandbox.seller_center.home import Home
from evergrant_sandbox.seller_center.incidents import Incidents
from evergrant_sandbox.seller_center.my_apps import MyApps
from evergrant_sandbox.seller_center.orders import Orders
from evergrant_sandbox.seller_center.products import Products
from evergrant_sandbox.seller_center.signing_in import SigningIn
from evergrant_sandbox.seller_center.users import Users

_ROOMS = (SigningIn, Home, Orders, Products, AppStore, MyApps, Cancelling, Incidents, Users, HelpPages)


def routes(platform: Platform, pages: Pages) -> list[Route]:
    """Every route of Seller Center."""
    return [route for room in _ROOMS for route in room(platform, pages).routes()]
