"""Sellers, their sign-ins and their shops, kept."""

from evergrant_sandbox.book.database import Book, Row
from evergrant_sandbox.world.seller import Account, Kind, Origin, Role, Seller, Shop

_SHOP = "id, seller_id, name, region, code, cipher, warehouse_id"


def _seller(row: Row) -> Seller:
    number, name, region, kind, phone, origin = row
    return Seller(id=number, name=name, region=region, kind=Kind(kind), phone=phone, origin=Origin(origin))


def _account(row: Row) -> Account:
    email, password, seller_id, role = row
    return Account(email=email, password=password, seller_id=seller_id, role=Role(role))


def _shop(row: Row) -> Shop:
    number, seller_id, name, region, code, cipher, warehouse_id = row
    return Shop(
        id=number,
        seller_id=seller_id,
        name=name,
        region=region,
        code=code,
        cipher=cipher,
        warehouse_id=warehouse_id,
    )


def add(book: Book, seller: Seller) -> None:
    """Keep a new seller."""
    book.run(
        "INSERT INTO sellers (id, name, region, kind, phone, origin) VALUES (?, ?, ?, ?, ?, ?)",
        seller.id,
        seller.name,
        seller.region,
        seller.kind,
        seller.phone,
        seller.origin,
    )


def add_account(book: Book, account: Account) -> None:
    """Keep a new sign-in."""
    book.run(
        "INSERT INTO accounts (email, password, seller_id, role) VALUES (?, ?, ?, ?)",
        account.email,
        account.password,
        account.seller_id,
        account.role,
    )


def add_shop(book: Book, shop: Shop, *, trade: str | None) -> None:
    """Keep a new shop."""
    book.run(
        "INSERT INTO shops (id, seller_id, name, region, code, cipher, warehouse_id, trade) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        shop.id,
        shop.seller_id,
        shop.name,
        shop.region,
        shop.code,
        shop.cipher,
        shop.warehouse_id,
        trade,
    )


def find(book: Book, seller_id: str) -> Seller | None:
    """A seller by its id."""
    row = book.one("SELECT id, name, region, kind, phone, origin FROM sellers WHERE id = ?", seller_id)
    return _seller(row) if row else None


def everyone(book: Book) -> list[Seller]:
    """All sellers, in the order in which they were added."""
    return [
        _seller(row) for row in book.all("SELECT id, name, region, kind, phone, origin FROM sellers ORDER BY rowid")
    ]


def first(book: Book, limit: int) -> list[Seller]:
    """The sellers that were added first."""
    rows = book.all("SELECT id, name, region, kind, phone, origin FROM sellers ORDER BY rowid LIMIT ?", limit)
    return [_seller(row) for row in rows]


def count(book: Book) -> int:
    """How many sellers there are."""
    row = book.one("SELECT count(*) FROM sellers")
    return int(row[0]) if row else 0


def account(book: Book, email: str) -> Account | None:
    """A sign-in by its e-mail address, in any letter case."""
    row = book.one("SELECT email, password, seller_id, role FROM accounts WHERE email = ?", email)
    return _account(row) if row else None


def account_by_phone(book: Book, digits: str) -> Account | None:
    """The owner's sign-in of the seller with this telephone number, of which only the digits count."""
    row = book.one(
        "SELECT a.email, a.password, a.seller_id, a.role FROM accounts a JOIN sellers s ON s.id = a.seller_id"
        " WHERE a.role = 'owner' AND replace(replace(replace(s.phone, ' ', ''), '+', ''), '-', '') = ?",
        digits,
    )
    return _account(row) if row else None


def accounts_of(book: Book, seller_id: str) -> list[Account]:
    """A seller's sign-ins, the owner first."""
    rows = book.all(
        "SELECT email, password, seller_id, role FROM accounts WHERE seller_id = ? ORDER BY role <> 'owner', email",
        seller_id,
    )
    return [_account(row) for row in rows]


def set_role(book: Book, email: str, role: Role) -> None:
    """Keep another role of a sign-in."""
    book.run("UPDATE accounts SET role = ? WHERE email = ?", role, email)


def remove_account(book: Book, email: str) -> None:
    """Forget a sign-in."""
    book.run("DELETE FROM accounts WHERE email = ?", email)


def shop(book: Book, shop_id: str) -> Shop | None:
    """A shop by its id."""
    row = book.one(f"SELECT {_SHOP} FROM shops WHERE id = ?", shop_id)  # noqa: S608  (column names)
    return _shop(row) if row else None


def shop_by_cipher(book: Book, cipher: str) -> Shop | None:
    """A shop by what goes on the wire."""
    row = book.one(f"SELECT {_SHOP} FROM shops WHERE cipher = ?", cipher)  # noqa: S608  (column names)
    return _shop(row) if row else None


def shops_of(book: Book, seller_id: str) -> list[Shop]:
    """A seller's shops, in the order in which they were opened."""
    rows = book.all(f"SELECT {_SHOP} FROM shops WHERE seller_id = ? ORDER BY rowid", seller_id)  # noqa: S608  (column names)
    return [_shop(row) for row in rows]


def shops_covered(book: Book, *, seller_id: str, shop_id: str | None) -> list[Shop]:
    """The shops a grant covers: the one it names, or all of the seller's."""
    if shop_id is None:
        return shops_of(book, seller_id)
    found = shop(book, shop_id)
    return [found] if found else []


def trade_of(book: Book, shop_id: str) -> str | None:
    """What the shop trades in, or None for what its region is known for."""
    row = book.one("SELECT trade FROM shops WHERE id = ?", shop_id)
    return row[0] if row else None


def count_made(book: Book, shop_id: str, *, orders: int = 0, products: int = 0) -> tuple[int, int]:
    """Raise the numbers of orders and products ever made in a shop; gives what they were before."""
    row = book.one("SELECT orders_made, products_made FROM shops WHERE id = ?", shop_id)
    book.run(
        "UPDATE shops SET orders_made = orders_made + ?, products_made = products_made + ? WHERE id = ?",
        orders,
        products,
        shop_id,
    )
    return (row[0], row[1]) if row else (0, 0)
