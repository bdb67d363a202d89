"""Very many sellers, grants or bytes: pages and calls look at what they show, and no further."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from evergrant_sandbox.book import sellers
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.seller import Kind, Origin, Seller
from tests.sandbox.kit import Client, Sandbox
from tests.sandbox.visiting import Visitor

MANY = 300


def crowd(sandbox: Sandbox) -> None:
    """More sellers than any page shows."""
    book = sandbox.application.platform.book
    with book.transaction():
        for number in range(MANY):
            seller = Seller(
                id=f"7{number}", name=f"S{number}", region="GB", kind=Kind.LOCAL, phone="", origin=Origin.ONLINE
            )
            sellers.add(book, seller)


@contextmanager
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int, str]]]:
    """Every statement the book is asked meanwhile: its text, how many rows it gave, and SQLite's plan of it."""
    found: list[tuple[str, int, str]] = []
    ask = Book.all

    def spied(self: Book, sql: str, *values: object) -> list[Any]:
        rows = ask(self, sql, *values)
        plan = "; ".join(str(row[-1]) for row in ask(self, f"EXPLAIN QUERY PLAN {sql}", *values))
        found.append((sql, len(rows), plan))
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(Book, "all", spied)
        yield found


@pytest.mark.parametrize("path", ["/", "/seller/login", "/control/world"])
async def test_a_page_that_names_sellers_reads_no_more_than_it_names(
    sandbox: Sandbox, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A hundred thousand sellers would keep every call of every app waiting for seconds."""
    crowd(sandbox)
    with asked(monkeypatch) as statements:
        await visitor.open(path)

    assert 200 == visitor.reply.status
    assert max(count for _, count, _ in statements) <= 100
    if path != "/seller/login":
        assert str(MANY + 6 - (50 if path == "/" else 100)) in visitor.text


async def test_a_sellers_apps_are_found_by_the_seller(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by looking through the grants of everybody else."""
    await visitor.open("/seller/login?next=/seller/apps")
    with asked(monkeypatch) as statements:
        await visitor.sign_in("amelia@thamesandclay.example")

    plans = [plan for sql, _, plan in statements if "FROM grants g" in sql]
    assert plans
    assert all("USING INDEX grants_of_seller" in plan for plan in plans)


async def test_a_consent_to_a_published_app_counts_no_authorizations(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have any number of them; to count them with every consent takes longer with each."""
    app = await sandbox.app()

    def counted(*_: object, **__: object) -> int:
        raise AssertionError("the authorizations were counted")

    monkeypatch.setattr("evergrant_sandbox.book.grants.count_alive", counted)

    assert "code" in await sandbox.steer("authorize", app=app["key"], seller="amelia@thamesandclay.example")


async def test_a_form_without_end_is_not_waited_for(sandbox: Sandbox) -> None:
    """Pages may be open to other machines: what nobody can have filled in is not kept in memory."""
    given = 0

    async def without_end() -> dict[str, Any]:
        nonlocal given
        given += 1
        assert given < 100, "it reads on and on"
        return {"type": "http.request", "body": b"x" * 10_000, "more_body": True}

    async def application(scope: Any, _: Any, send: Any) -> None:
        await sandbox.application(scope, without_end, send)

    reply = await Client(application).call("POST", "/seller/login")

    assert (403, "form_expired") == (reply.status, reply.header("x-error-code"))
