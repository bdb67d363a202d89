"""Which sellers an app is for: how far its review has come, its market group, the kinds of sellers it was made for."""

from collections.abc import Iterable
from enum import StrEnum

from evergrant_sandbox.world.app import App, AppMarket, Stage, Visibility
from evergrant_sandbox.world.regions import REGIONS
from evergrant_sandbox.world.seller import Kind, Origin, Seller, Shop


class Hindrance(StrEnum):
    """Why a seller cannot authorize an app."""

    DEACTIVATED = "deactivated"
    NO_REDIRECT_URL = "no_redirect_url"
    IN_DEVELOPMENT = "in_development"
    SELLER_TYPE = "seller_type"
    REGION = "region"


def market_of(region: str) -> AppMarket:
    """The market group of a region (wire sheet 5.1)."""
    if region == "US":
        return AppMarket.US
    return AppMarket.UK_EU if REGIONS[region].prefix == "GCP" else AppMarket.REST


def serves(app: App, regions: Iterable[str]) -> bool:
    """Whether the app is for one of the regions."""
    return app.market is AppMarket.ALL or app.market in {market_of(region) for region in regions}


def regions_of(seller: Seller, shops: Iterable[Shop]) -> set[str]:
    """Where a seller sells: where the shops are, which for a cross-border seller is not at home."""
    return {shop.region for shop in shops} or {seller.region}


def hindrance_of_all(app: App) -> Hindrance | None:
    """What stands between everybody and an app, or None."""
    if app.is_deactivated:
        return Hindrance.DEACTIVATED
    return None if app.redirect_urls else Hindrance.NO_REDIRECT_URL


def hindrance(app: App, seller: Seller, shops: Iterable[Shop]) -> Hindrance | None:
    """What stands between a seller and an app, or None.

    An app that "is still in development can't be authorized by online sellers" (source S2), by test accounts it can.
    """
    whoever = hindrance_of_all(app)
    if whoever:
        return whoever
    if app.stage is not Stage.PUBLISHED and seller.origin is not Origin.TEST:
        return Hindrance.IN_DEVELOPMENT
    if seller.kind not in app.seller_types:
        return Hindrance.SELLER_TYPE
    return None if serves(app, regions_of(seller, shops)) else Hindrance.REGION


def is_in_the_store(app: App, seller: Seller, shops: Iterable[Shop]) -> bool:
    """Whether the App store shows the app to this seller: public, published, and one the seller can install."""
    listed = app.visibility is Visibility.PUBLIC and app.stage is Stage.PUBLISHED
    return listed and hindrance(app, seller, shops) is None


def shops_for(app: App, seller: Seller, shops: Iterable[Shop]) -> list[Shop]:
    """The shops a seller can connect to the app; a cross-border seller's consent covers all, wherever they are."""
    return [shop for shop in shops if seller.kind is Kind.CROSS_BORDER or serves(app, {shop.region})]
