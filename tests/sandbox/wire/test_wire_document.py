"""The OpenAPI document: served, sound, and of the same opinion as the endpoints, though neither was made from the other."""

import re
from pathlib import Path

import schemathesis
from schemathesis.core.result import Ok

from evergrant_sandbox.endpoints.endpoint import Cipher, Endpoint, Holder
from evergrant_sandbox.endpoints.table import FAMILIES
from evergrant_sandbox.openapi.document import document
from tests.sandbox.kit import Sandbox

TOKEN_HOST = {"GET /api/v2/token/get", "GET /api/v2/token/refresh"}


def operations() -> dict[str, dict[str, object]]:
    """Every operation of the document, by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


def endpoints(sandbox: Sandbox) -> dict[str, Endpoint]:
    """Every endpoint of the signed API."""
    platform = sandbox.application.platform
    return {f"{each.method} {each.path}": each for family in FAMILIES for each in family(platform).endpoints()}


async def test_the_document_is_served(sandbox: Sandbox) -> None:
    """As JSON, version 3.1."""
    served = await sandbox.ask("openapi.json")

    assert document() == served
    assert "3.1.0" == served["openapi"]


def test_the_document_is_sound() -> None:
    """By the rules for such documents, and every operation can be read."""
    schema = schemathesis.openapi.from_dict(document())
    schema.validate()

    assert len(operations()) == sum(isinstance(found, Ok) for found in schema.get_all_operations())


async def test_everything_that_answers_is_in_the_document_and_the_other_way_round(sandbox: Sandbox) -> None:
    """No endpoint without an operation, no operation without an endpoint."""
    assert set(operations()) == TOKEN_HOST | set(endpoints(sandbox))


async def test_scopes_and_ciphers_are_those_of_the_document(sandbox: Sandbox) -> None:
    """Where the sheet names a scope it is asked for; a cipher is required, possible or not there at all."""
    described = operations()
    for label, endpoint in endpoints(sandbox).items():
        operation = described[label]
        parameters = {each["name"]: each["required"] for each in operation["parameters"]}  # type: ignore[attr-defined]
        cipher = {True: Cipher.REQUIRED, False: Cipher.OPTIONAL, None: Cipher.UNWANTED}[parameters.get("shop_cipher")]
        assert cipher is endpoint.cipher, label
        if "x-scope" in operation:
            assert operation["x-scope"] == endpoint.scope, label
        if endpoint.holder is Holder.SELLER and endpoint.scope and label != "DELETE /authorization/202403/shops":
            assert "x-scope" in operation, label


def test_every_operation_names_the_section_it_was_written_from() -> None:
    """A section of the wire sheet, 2 to 6."""
    for label, operation in operations().items():
        assert re.fullmatch(r"[2-6]\.[1-9]", str(operation["x-wire-sheet"])), label
        assert operation["summary"]


def test_every_operation_is_in_the_documentation() -> None:
    """docs/sandbox/wire.md lists them all, with their scopes, and none that is not there."""
    page = Path(__file__).resolve().parents[3] / "docs" / "sandbox" / "wire.md"
    line = re.compile(r"^\| `([A-Z]+ /\S+)` \| .* \|\s*(?:`(\S+)`)?\s*\|$", re.MULTILINE)
    rows = line.findall(page.read_text(encoding="utf-8"))

    assert {label: str(each.get("x-scope", "")) for label, each in operations().items()} == dict(rows)
