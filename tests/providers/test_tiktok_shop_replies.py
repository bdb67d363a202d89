"""TikTok Shop's answers, read: each documented code to what may be done next, and rubbish to honest doubt."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evergrant.core import flows
from evergrant.core.connection import Shop
from evergrant.providers import tiktok_shop
from evergrant.providers.wire import (
    NO_END,
    CallRefused,
    Granted,
    Misconfigured,
    NoticeKind,
    Page,
    Refused,
    Reply,
    Suspect,
    Throttled,
    Trouble,
    Unreadable,
)

NOW = datetime(2026, 9, 29, 15, 20, tzinfo=UTC)
ISSUED = int(NOW.timestamp())

TOKENS: dict[str, Any] = {
    "access_token": "ROW_access",
    "access_token_expire_in": ISSUED + 7 * 86400,
    "refresh_token": "ROW_refresh",
    "refresh_token_expire_in": ISSUED + 365 * 86400,
    "open_id": "Xk2vSgAAAAB7mQ9t",
    "seller_name": "Example Shop Ltd",
    "seller_base_region": "GB",
    "user_type": 0,
    "granted_scopes": ["seller.authorization.info", "seller.order.info"],
}
"""The example of the wire sheet, 2.3."""


def reply(body: object, status: int = 200, retry_after: float | None = None) -> Reply:
    """An answer with a JSON body, or with the bytes given."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, body=content, retry_after=retry_after)


def envelope(code: int = 0, message: str = "success", data: object = None, **more: object) -> dict[str, object]:
    """The platform's envelope."""
    return {"code": code, "message": message, "data": data, "request_id": "2026092915200010A1B2", **more}


def test_a_token_answer_is_read_with_absolute_ends() -> None:
    """`access_token_expire_in` is an instant in spite of its name: the commonest client bug reads it as a duration."""
    granted = tiktok_shop.read_tokens(reply(envelope(data=TOKENS)), NOW)

    assert isinstance(granted, Granted)
    assert NOW + timedelta(days=7) == granted.pair.access_ends
    assert NOW + timedelta(days=365) == granted.pair.refresh_ends
    assert "ROW_access" == granted.pair.access.reveal()
    assert ("Xk2vSgAAAAB7mQ9t", 0, "GB") == (granted.open_id, granted.user_type, granted.region)
    assert frozenset({"seller.authorization.info", "seller.order.info"}) == granted.scopes


def test_what_the_platform_may_leave_out_or_add_is_tolerated() -> None:
    """Older answers have no scopes, the name may be null, and there may be fields nobody knows."""
    bare = TOKENS | {"seller_name": None, "surprise": {"a": 1}}
    del bare["granted_scopes"]
    granted = tiktok_shop.read_tokens(reply(envelope(data=bare, more=1)), NOW)

    assert isinstance(granted, Granted)
    assert ("", frozenset()) == (granted.seller_name, granted.scopes)


@pytest.mark.parametrize("code", [36004001, 36004004, 36004005])
def test_the_token_hosts_refusals_are_final(code: int) -> None:
    """HTTP 200 with a code: success is `code == 0`, never the status (2.5)."""
    assert Refused(platform_code=code) == tiktok_shop.read_tokens(reply(envelope(code)), NOW)


@pytest.mark.parametrize("code", [36009004, 36009033])
def test_refused_app_credentials_say_nothing_of_the_seller(code: int) -> None:
    """The app's key, secret or address is wrong: one alarm, no authorization touched."""
    assert Misconfigured(platform_code=code) == tiktok_shop.read_tokens(reply(envelope(code)), NOW)


@pytest.mark.parametrize(("retry_after", "seconds"), [(7.0, 7), (None, 5), (1e9, 3600), (-3.0, 1), (0.0, 1)])
def test_a_throttled_call_waits_as_told_within_reason(retry_after: float | None, seconds: int) -> None:
    """429 or its code, with or without the envelope; an hour at the most."""
    for answer in (
        reply(envelope(36009002), 429, retry_after),
        reply(envelope(36009002), 200, retry_after),
        reply(b"<html>", 429, retry_after),
    ):
        assert Throttled(wait=timedelta(seconds=seconds)) == tiktok_shop.read_tokens(answer, NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"404 page not found",
        b"<html>502</html>",
        b'{"code":0',
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"code":"0"}',
        b'{"message":"success"}',
        envelope(36009003, "Internal error"),
        envelope(99),
        envelope(data=None),
        envelope(data=[]),
        envelope(data={}),
    ],
)
def test_what_cannot_be_read_leaves_the_outcome_in_doubt(body: object) -> None:
    """Never a refusal, never a grant, never an exception: whether the platform acted is not known."""
    answer = tiktok_shop.read_tokens(reply(body), NOW)

    assert isinstance(answer, Unreadable)
    assert "ROW_" not in answer.why
    assert answer.answered == (body == envelope(99)), "only a code nobody knows is no sign that the platform is unwell"


RUBBISH: tuple[Any, ...] = ("", None, 7, [])
SUSPICIOUS: list[tuple[str, Any]] = [
    *((name, wrong) for name in ("access_token", "refresh_token", "open_id") for wrong in RUBBISH),
    *(
        (name, wrong)
        for name in ("access_token_expire_in", "refresh_token_expire_in")
        for wrong in (None, "1791300000", 604800, (ISSUED + 604800) * 1000, ISSUED - 1, 0, -5, 10**30, True, 1.5)
    ),
    ("access_token_expire_in", ISSUED + 57 * 365 * 86400),
    ("refresh_token_expire_in", ISSUED + 201 * 366 * 86400),
    ("granted_scopes", "all"),
    ("seller_name", 7),
]


@pytest.mark.parametrize(("field", "wrong"), SUSPICIOUS)
def test_a_field_that_cannot_be_makes_a_whole_answer_suspect_and_loses_nothing_of_it(field: str, wrong: Any) -> None:
    """The whole body is kept, what else it brought is usable, and what is wrong is named without its value."""
    answer = tiktok_shop.read_tokens(reply(envelope(data=TOKENS | {field: wrong})), NOW)

    assert isinstance(answer, Suspect)
    assert (field,) == answer.fields
    assert "ROW_" not in repr(answer)
    assert json.loads(answer.answer.reveal())["data"] == TOKENS | {field: wrong}
    assert (
        (field in ("access_token", "access_token_expire_in")) == (answer.access is None) == (answer.access_ends is None)
    )
    assert (field == "refresh_token") == (answer.refresh is None)
    assert (field == "refresh_token_expire_in") == (answer.refresh_ends is None)


def test_an_answer_without_a_refresh_token_keeps_the_one_that_was_shown() -> None:
    """With an end of its own or without one; and an end beyond 2**32 is as good as any."""
    without = {name: value for name, value in TOKENS.items() if name != "refresh_token"}
    granted = tiktok_shop.read_tokens(reply(envelope(data=without | {"refresh_token_expire_in": 4_903_858_076})), NOW)
    bare = {name: value for name, value in without.items() if name != "refresh_token_expire_in"}
    endless = tiktok_shop.read_tokens(reply(envelope(data=bare)), NOW)

    assert isinstance(granted, Granted)
    assert isinstance(endless, Granted)
    assert granted.keeps_refresh
    assert (2125, NO_END) == (granted.pair.refresh_ends.year, endless.pair.refresh_ends)


@given(st.binary(max_size=300), st.sampled_from([200, 400, 401, 429, 500, 503]))
def test_no_bytes_crash_a_reader(body: bytes, status: int) -> None:
    """Whatever arrives, each reader gives a value."""
    answer = reply(body, status)

    assert isinstance(tiktok_shop.read_tokens(answer, NOW), Unreadable | Throttled)
    assert isinstance(tiktok_shop.read_shops(answer), CallRefused)
    assert isinstance(tiktok_shop.read_page(flows.Kind.ORDERS, answer), CallRefused)


def test_shops_are_read_with_their_ciphers() -> None:
    """Ids are text, 64-bit numbers never pass through a float (3.4)."""
    data = {
        "shops": [
            {
                "id": "7495000000000000001",
                "name": "UK",
                "region": "GB",
                "seller_type": "LOCAL",
                "cipher": "GCP_a",
                "code": "X",
            }
        ]
    }
    expected = Shop(id="7495000000000000001", name="UK", region="GB", cipher="GCP_a", seller_type="LOCAL", code="X")

    assert (expected,) == tiktok_shop.read_shops(reply(envelope(data=data)))


@pytest.mark.parametrize(
    ("status", "code", "message", "trouble"),
    [
        (401, 105001, "access token is invalid; detail:your token has been deauthorized", Trouble.AUTHORIZATION_GONE),
        (401, 105002, "Expired credentials.", Trouble.TOKEN_EXPIRED),
        (401, 105005, "Access denied.", Trouble.SCOPE_MISSING),
        (400, 101000, "Invalid query", Trouble.WRONG_SHOP),
        (401, 106001, "The sign query parameter is invalid", Trouble.MISCONFIGURED),
        (400, 106013, "shop_cipher is required", Trouble.OUR_MISTAKE),
        (400, 36009004, "Invalid credentials: `x-tts-access-token` header", Trouble.AUTHORIZATION_GONE),
        (400, 36009004, "Invalid `app_key`", Trouble.MISCONFIGURED),
        (400, 36009004, "Invalid timestamp", Trouble.CLOCK_WRONG),
        (429, 36009002, "Too many requests", Trouble.THROTTLED),
        (500, 36009003, "Internal error", Trouble.UNAVAILABLE),
        (200, 36009007, "Request timeout", Trouble.UNAVAILABLE),
        (200, 36009033, "IP not in allow list", Trouble.MISCONFIGURED),
        (200, 123456, "nobody knows", Trouble.UNAVAILABLE),
    ],
)
def test_each_documented_code_asks_for_the_right_thing(status: int, code: int, message: str, trouble: Trouble) -> None:
    """Branch on the code, then a keyword; never on whole messages (3.7)."""
    answer = tiktok_shop.read_page(flows.Kind.ORDERS, reply(envelope(code, message), status))

    assert isinstance(answer, CallRefused)
    assert (trouble, code) == (answer.trouble, answer.platform_code)


def test_a_shops_call_that_does_not_fit_has_a_dead_token() -> None:
    """It names no shop: 101000 can only mean the token (3.7)."""
    answer = tiktok_shop.read_shops(reply(envelope(101000, "Invalid query"), 400))

    assert CallRefused(trouble=Trouble.AUTHORIZATION_GONE, platform_code=101000) == answer


def test_a_page_keeps_the_platforms_own_bytes() -> None:
    """Records are kept as received, byte for byte, spaces and all."""
    raw = '{"id":"576000000000000001",  "update_time":1790803600,"amount":1.50}'
    body = f'{{"code":0,"data":{{"orders":[{raw}],"next_page_token":"q7Zk+3d/Lw0=="}},"message":"Success"}}'.encode()
    page = tiktok_shop.read_page(flows.Kind.ORDERS, reply(body))

    assert isinstance(page, Page)
    assert ("576000000000000001", raw.encode()) == (page.records[0].id, page.records[0].document)
    assert "q7Zk+3d/Lw0==" == page.next_token


def test_a_row_nobody_can_read_costs_itself_and_not_its_page() -> None:
    """Left out by its id, as far as it has one; the others are kept."""
    rows = [
        {"id": "1", "update_time": 1790803600},
        {"id": "2", "update_time": 0},
        {"id": 3, "update_time": 1790803600},
        {"update_time": 1790803600},
        "no row",
        {"id": "6", "create_time": 1790803600},
    ]
    page = tiktok_shop.read_page(flows.Kind.PRODUCTS, reply(envelope(data={"products": rows})))

    assert isinstance(page, Page)
    assert (["1", "6"], ("2", "3", "", "")) == ([record.id for record in page.records], page.unreadable)


@pytest.mark.parametrize(
    ("odd", "is_kept", "told"),
    [
        (rb"a\u0000b", False, ""),
        (rb"\ud800", False, ""),
        (rb"a\udc00b", False, ""),
        (rb"\uD800\ud83d\ude00", False, ""),
        (b"\xff", False, ""),
        (b"9" * 129, False, ""),
        (b"", False, ""),
        (rb"a\nb", True, ""),
        (rb"a\ud83d\uDE00b", True, "a\U0001f600b"),
        (rb"a\\ud800b", True, r"a\ud800b"),
        (b"9" * 128, True, "9" * 128),
    ],
)
def test_an_id_nobody_can_keep_costs_its_row_and_only_a_readable_one_is_told(
    odd: bytes,
    is_kept: bool,  # noqa: FBT001
    told: str,
) -> None:
    """NUL, half a character, no text at all, too long: the others are kept."""
    good = b'{"id":"1","update_time":1790803600}'
    for at, kept in ((b"1790803600", is_kept), (b'"yesterday"', False)):
        rows = b'%s,{"id":"%s","update_time":%s}' % (good, odd, at)
        page = tiktok_shop.read_page(flows.Kind.ORDERS, reply(b'{"code":0,"data":{"orders":[%s]}}' % rows))

        assert isinstance(page, Page)
        assert (2 if kept else 1) == len(page.records)
        assert (() if kept else (told,)) == page.unreadable


def test_half_a_character_in_a_document_costs_that_character() -> None:
    """Its row is kept, and every other byte of it."""
    row = rb'{"id":"1","update_time":1790803600,"name":"a\ud83d\ude00\\ud800\ud800b"}'
    page = tiktok_shop.read_page(flows.Kind.ORDERS, reply(b'{"code":0,"data":{"orders":[%s]}}' % row))

    assert isinstance(page, Page)
    assert row.replace(rb"\ud800b", rb"\ufffdb") == page.records[0].document


@pytest.mark.parametrize(
    ("kind", "updated", "reached"),
    [
        (flows.Kind.ORDERS, (1790803600, 1790803600, 1790803700), 1790803700),
        (flows.Kind.ORDERS, (1790803700, 1790803600), None),
        (flows.Kind.ORDERS, (), None),
        (flows.Kind.PRODUCTS, (1790803600, 1790803700), None),
    ],
)
def test_only_pages_in_the_order_of_changes_say_how_far_they_reach(
    kind: flows.Kind, updated: tuple[int, ...], reached: int | None
) -> None:
    """Orders are asked for oldest change first, and believed if they are; products cannot be sorted (6.1, 6.2)."""
    rows = [{"id": str(number), "update_time": at} for number, at in enumerate(updated)]
    page = tiktok_shop.read_page(kind, reply(envelope(data={kind.value: rows})))

    assert isinstance(page, Page)
    assert (datetime.fromtimestamp(reached, UTC) if reached else None) == page.reached


def test_the_last_page_has_an_empty_or_missing_token() -> None:
    """Both ways are documented (section 6)."""
    ends: tuple[dict[str, object], ...] = ({"orders": [], "next_page_token": ""}, {"next_page_token": None}, {})
    for data in ends:
        page = tiktok_shop.read_page(flows.Kind.ORDERS, reply(envelope(data=data)))
        assert isinstance(page, Page)
        assert "" == page.next_token


def test_the_expiry_warning_is_read_with_its_end_as_text() -> None:
    """`data.expiration_time` is a string of Unix seconds; a number is taken, too (4.4)."""
    for given_end in ("1769817600", 1769817600):
        body = {
            "type": 7,
            "tts_notification_id": "76",
            "shop_id": "74",
            "timestamp": 1767225600,
            "data": {"expiration_time": given_end},
        }
        notice = tiktok_shop.read_notice(json.dumps(body).encode())
        assert NoticeKind.UPCOMING_AUTHORIZATION_EXPIRATION is notice.kind
        assert datetime(2026, 1, 31, tzinfo=UTC) == notice.ends


@pytest.mark.parametrize("data", [None, "text", {"expiration_time": "soon"}, {"expiration_time": ""}, {}])
def test_a_notice_with_odd_data_is_still_a_notice(data: object) -> None:
    """Parsed leniently, since numbers and strings are mixed even inside the docs (4.3)."""
    body = {"type": 7, "shop_id": 74, "timestamp": 1767225600, "data": data}
    notice = tiktok_shop.read_notice(json.dumps(body).encode())

    assert ("74", "", None) == (notice.shop_id, notice.id, notice.ends)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"type":"x"}', b'{"type":6}', b'{"type":6,"timestamp":99999999999999}'])
def test_what_is_no_notice_says_so(body: bytes) -> None:
    """A ValueError, for the caller to keep the bytes and go on."""
    with pytest.raises(ValueError, match=r"not an? "):
        tiktok_shop.read_notice(body)
