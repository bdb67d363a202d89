"""Scopes: what an app may ask for, named as the seller reads them (wire sheet 5.4)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One permission: its key on the wire, its name on the page, and what the seller shares by it."""

    key: str
    name: str
    shares: str


_ALL = (
    ("seller.authorization.info", "Shop Authorized Information", "The name, region and ids of the authorized shop"),
    ("seller.order.info", "Order Information", "Orders, what was bought, payments and masked buyer addresses"),
    ("seller.product.basic", "Product Basic", "Products, their prices and their stock, for reading"),
    ("seller.product.write", "Product Modify", "Changing products, prices and stock"),
    ("seller.product.delete", "Product Delete & Recover", "Deleting products and bringing them back"),
    ("seller.logistics", "Logistics Basic", "Warehouses and shipping providers"),
    ("seller.fulfillment.basic", "Fulfillment Basic", "Packages, labels and their progress"),
    ("seller.fulfillment.package.write", "Package Split And Combine", "Splitting and combining packages"),
    ("seller.delivery.status.write", "Update Delivery Status", "Reporting that a package was delivered"),
    ("seller.finance.info", "Finance Information", "Statements, payments and withdrawals"),
    ("seller.shop.info", "Global Shop Information", "All shops of the account, authorized or not"),
    ("seller.promotion.info", "Promotion Information", "Promotions and discounts"),
)

SCOPES = {key: Scope(key=key, name=name, shares=shares) for key, name, shares in _ALL}

# What an app asks for when its maker names nothing.
ORDINARY = ("seller.authorization.info", "seller.order.info", "seller.product.basic", "seller.product.write")
