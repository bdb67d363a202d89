"""The seeded world and what is generated in it: repeatable, and such that a person believes it."""

import collections
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evergrant_sandbox.clock import DAY
from evergrant_sandbox.world import grant, order, product, rotation, seed, warnings
from evergrant_sandbox.world.app import App, Rotation, fault_of_redirect_url, fault_of_webhook_url
from evergrant_sandbox.world.grant import NewEnd, State
from evergrant_sandbox.world.order import OrderStatus
from evergrant_sandbox.world.rotation import OUTCOMES, Outcome, Use
from evergrant_sandbox.world.seller import Kind, Origin, Role
from evergrant_sandbox.world.tokens import Half, Mint, Seal
from evergrant_sandbox.world.visit import Situation, Step, next_step

NOW = 1_800_003_600


def orders_of(stocked: seed.StockedShop, count: int) -> list[order.Order]:
    """Orders of the last two weeks in a shop."""
    chance = Random(1)
    goods = tuple(
        product.make(chance, shop=stocked.shop, number=number, now=NOW, trade=stocked.trade) for number in range(8)
    )
    made = [
        order.make(chance, shop=stocked.shop, products=goods, created=NOW - chance.randrange(14 * DAY))
        for _ in range(count)
    ]
    return [order.grown(chance, each, shop=stocked.shop, now=NOW) for each in made]


SHOPS = [stocked for household in seed.households(1) for stocked in household.shops]


def test_the_same_seed_gives_the_same_world_and_another_another() -> None:
    """Keys, sign-ins and shops can be written into a test."""
    assert seed.households(1) == seed.households(1)
    assert seed.app(1) == seed.app(1)
    assert seed.households(1) != seed.households(2)


def test_the_seeded_world_has_sellers_of_every_kind() -> None:
    """Several regions, one cross-border seller with several shops, one test account, one of each role, one public app."""
    households = seed.households(1)

    assert {"GB", "US", "DE", "ID"} <= {household.seller.region for household in households}
    assert [3] == [len(each.shops) for each in households if each.seller.kind is Kind.CROSS_BORDER]
    assert 1 == sum(household.seller.origin is Origin.TEST for household in households)
    roles = [account.role for household in households for account in household.accounts if account.role != Role.OWNER]
    assert sorted(set(Role) - {Role.OWNER}) == sorted(roles)
    assert "published" == seed.app(1).stage


@pytest.mark.parametrize("stocked", SHOPS, ids=lambda stocked: stocked.shop.name)
def test_orders_are_believable(stocked: seed.StockedShop) -> None:
    """Money adds up, times come in order, buyers are masked, and nobody unpaid has an address."""
    for each in orders_of(stocked, 80):
        assert each.id.isdigit()
        assert 18 == len(each.id)
        assert NOW - 14 * DAY <= each.create_time <= each.update_time <= NOW
        assert "*" in (each.recipient_address.name if each.recipient_address else "*")
        hidden = each.status in {OrderStatus.UNPAID, OrderStatus.ON_HOLD} or not each.paid_time
        assert hidden == (not each.recipient_address)
        assert {each.status} == {item.display_status for item in each.line_items}
        total = sum(float(item.original_price) for item in each.line_items)
        assert total == pytest.approx(float(each.payment.original_total_product_price))
        paid = float(each.payment.sub_total) + float(each.payment.shipping_fee) + float(each.payment.tax)
        assert paid == pytest.approx(float(each.payment.total_amount))


def test_statuses_come_in_plausible_proportion() -> None:
    """Most orders of two weeks were shipped, some are under way, a few were cancelled or not yet paid."""
    counted = collections.Counter(each.status for stocked in SHOPS for each in orders_of(stocked, 100))
    whole = counted.total()

    # Held orders stay so for an hour, in one market; partly shipped ones do not come up by themselves.
    assert set(OrderStatus) - {OrderStatus.PARTIALLY_SHIPPING, OrderStatus.ON_HOLD} <= set(counted)
    assert counted[OrderStatus.DELIVERED] + counted[OrderStatus.COMPLETED] > whole / 2
    assert whole / 50 < counted[OrderStatus.CANCELLED] < whole / 5


@pytest.mark.parametrize("stocked", SHOPS, ids=lambda stocked: stocked.shop.name)
def test_prices_are_in_the_shops_currency_and_step(stocked: seed.StockedShop) -> None:
    """No rupiah with cents, no dollars without."""
    made = product.make(Random(2), shop=stocked.shop, number=0, now=NOW, trade=stocked.trade)
    cents = {"IDR": 0}.get(made.skus[0].price.currency, 2)

    assert [cents] * len(made.skus) == [len(sku.price.sale_price.partition(".")[2]) for sku in made.skus]
    assert (stocked.shop.region,) == made.sales_regions


# --- tokens


@given(
    grant_id=st.integers(0, 2**63 - 1),
    serial=st.integers(0, 2**32 - 1),
    prefix=st.sampled_from(["ROW", "TTP", "GCP"]),
    half=st.sampled_from(Half),
    place=st.integers(0, 106),
)
def test_a_token_is_read_back_and_only_as_it_was_made(
    grant_id: int, serial: int, prefix: str, half: Half, place: int
) -> None:
    """It carries the region and the sandbox's mark; one changed character, the other half or another world refuse it."""
    mint = Mint(b"one world")
    seal = Seal(grant_id, serial)
    token = mint.token(half, prefix=prefix, seal=seal)
    other = Half.ACCESS if half is Half.REFRESH else Half.REFRESH
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]

    assert token.startswith(f"{prefix}_sbx")
    assert 107 == len(token)
    assert seal == mint.read(half, token)
    assert mint.read(other, token) is None
    assert mint.read(half, changed) is None
    assert Mint(b"another").read(half, token) is None


@given(st.text(max_size=200))
def test_whatever_is_no_token_is_read_as_none(text: str) -> None:
    """Junk of any kind is recognised without looking anything up."""
    assert Mint(b"one world").read(Half.ACCESS, text) is None


# --- rules


def test_every_use_of_a_refresh_token_is_decided_in_every_mode() -> None:
    """No cell of the table is missing, and the first use always gives something."""
    assert set(Rotation) == set(OUTCOMES)
    assert [set(Use)] * len(OUTCOMES) == [set(row) for row in OUTCOMES.values()]
    assert {Outcome.NEW_PAIR, Outcome.NEW_ACCESS_TOKEN} == {row[Use.FIRST] for row in OUTCOMES.values()}


@pytest.mark.parametrize(
    ("used_at", "successor_used", "now", "use"),
    [
        (None, None, 100, Use.FIRST),
        (100, None, 160, Use.AGAIN_AT_ONCE),
        (100, None, 161, Use.AGAIN_LATER),
        (100, 110, 120, Use.AGAIN_LATER),
    ],
)
def test_grace_ends_with_time_or_with_the_use_of_the_pair_it_gave(
    used_at: int | None, successor_used: int | None, now: int, use: Use
) -> None:
    """Sixty seconds, and only while nobody can have received the answer."""
    assert use == rotation.use_of(used_at=used_at, successor_used=successor_used, grace=60, now=now)


def a_grant(**changes: int | State) -> grant.Grant:
    """A year's grant, given at NOW."""
    usual = {"granted_at": NOW, "period": 365 * DAY, "ends_at": NOW + 365 * DAY, "state": State.ACTIVE, **changes}
    return grant.Grant(
        id=1,
        app_key="a",
        seller_id="s",
        shop_id="1",
        open_id="o",
        prefix="GCP",
        scopes=(),
        ended_at=None,
        ended_by=grant.EndedBy.NOBODY,
        consents=1,
        contact_email="",
        contact_phone="",
        **usual,  # type: ignore[arg-type]
    )


def test_expiry_is_read_off_the_clock() -> None:
    """Active until the very second of the end, expired from it on; what was ended stays ended."""
    given = a_grant()

    assert "active" == given.status(given.ends_at - 1)
    assert "expired" == given.status(given.ends_at)
    assert "cancelled" == a_grant(state=State.CANCELLED).status(given.ends_at)


@pytest.mark.parametrize(("rule", "days"), [(NewEnd.FROM_CONSENT, 110), (NewEnd.ADDED, 455), (NewEnd.UNCHANGED, 365)])
def test_a_renewal_moves_the_end_by_the_rule_that_is_set(rule: NewEnd, days: int) -> None:
    """Ninety days consented after twenty, while a year was running."""
    end = grant.end_after(a_grant(), period=90 * DAY, rule=rule, now=NOW + 20 * DAY)

    assert NOW + days * DAY == end


@pytest.mark.parametrize("rule", NewEnd)
def test_a_renewal_after_the_end_begins_anew(rule: NewEnd) -> None:
    """Nothing is left to add to or to leave unchanged."""
    end = grant.end_after(a_grant(), period=90 * DAY, rule=rule, now=NOW + 400 * DAY)

    assert NOW + 490 * DAY == end


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 0), ("UTC+8", 16), ("UTC-8", 8)])
def test_daily_warnings_fall_on_midnight_of_the_zone(zone: str, hour: int) -> None:
    """The first at thirty days to the second, the others at 0:00, none at or after the end."""
    ends_at = NOW + 365 * DAY
    due = warnings.first(granted_at=NOW, ends_at=ends_at, zone=zone)
    days = []
    at = due
    while at is not None:
        days.append(at)
        at = warnings.after(at, ends_at=ends_at, zone=zone)

    assert ends_at - 30 * DAY == due
    assert {hour * 3600} == {each % DAY for each in days[1:]}
    assert 31 == len(days)
    assert [30, 30, 29] == [warnings.days_left(each, ends_at) for each in days[:3]]
    assert days[-1] < ends_at


def test_a_short_grant_is_warned_from_the_next_midnight_on() -> None:
    """Born inside its last thirty days, it cannot be warned thirty days ahead."""
    due = warnings.first(granted_at=NOW, ends_at=NOW + 10 * DAY, zone="UTC")

    assert warnings.next_midnight(NOW, "UTC") == due
    assert warnings.first(granted_at=NOW, ends_at=NOW + 60, zone="UTC") is None


@pytest.mark.parametrize(
    ("situation", "step"),
    [
        (Situation(origin=None, renews=False, region_known=False, form_confirmed=False), Step.REGION),
        (Situation(origin=None, renews=False, region_known=True, form_confirmed=False), Step.LOGIN),
        (Situation(origin=Origin.ONLINE, renews=False, region_known=False, form_confirmed=False), Step.REGION),
        (Situation(origin=Origin.ONLINE, renews=False, region_known=True, form_confirmed=False), Step.FORM),
        (Situation(origin=Origin.ONLINE, renews=True, region_known=False, form_confirmed=False), Step.FORM),
        (Situation(origin=Origin.ONLINE, renews=True, region_known=False, form_confirmed=True), Step.REVIEW),
        (Situation(origin=Origin.TEST, renews=False, region_known=False, form_confirmed=False), Step.REVIEW),
    ],
)
def test_the_next_step_of_the_link_is_decided_in_one_place(situation: Situation, step: Step) -> None:
    """Prompt, login, form, review: who sees which."""
    assert step == next_step(situation)


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("http://127.0.0.1:8080/hooks", True),
        ("http://localhost:8080/hooks", True),
        ("https://hooks.example.test/tts", True),
        ("http://hooks.example.test/tts", False),
        ("https://hooks.example.test:8443/tts", False),
        ("https://10.1.2.3/tts", False),
        ("https://intranet/tts", False),
        ("ftp://localhost/x", False),
        ("http://localhost:port/x", False),
        ("http://[::1]:8080/hooks", True),
        # A name that begins like a loopback address is anybody's.
        ("http://127.0.0.1.example.test:8080/hooks", False),
        # Names no request can be made to, and what would clash with the signature's header.
        ("https://hooks..example.test/tts", False),
        (f"https://{'a' * 64}.example.test/tts", False),
        ("https://user:password@hooks.example.test/tts", False),
        ("http://user@127.0.0.1:8080/hooks", False),
        ("https://hooks.exa\nmple.test/tts", False),
        ("https://hooks.example.test/t ts", False),
        ("https://bücher.example.test/tts", False),
        ("https://xn--bcher-kva.example.test/tts", True),
    ],
)
def test_webhook_urls_follow_the_platform_except_on_loopback(url: str, accepted: bool) -> None:  # noqa: FBT001
    """Https, a domain name, no port; loopback is let off."""
    assert accepted == (fault_of_webhook_url(url) is None)


def test_a_redirect_url_is_absolute() -> None:
    """Http or https, with a host and without a fragment."""
    assert fault_of_redirect_url("http://localhost:8080/cb") is None
    assert None not in {fault_of_redirect_url(url) for url in ("/cb", "javascript:alert(1)", "https://a.test/#x")}


@pytest.mark.parametrize("host", ["例え.test", "a.test;sandbox", "user@a.test", "a..test", "a.test,b.test", "'self'"])
def test_the_host_of_a_redirect_url_can_stand_in_a_header(host: str) -> None:
    """The consent pages name it in their policy: it must not add a rule of its own there, nor break the page."""
    assert fault_of_redirect_url(f"https://{host}/cb") is not None


def test_an_app_has_one_redirect_url_that_counts() -> None:
    """Partner Center has a single field."""
    app = seed.app(1)

    assert isinstance(app, App)
    assert app.redirect_urls[0] == app.redirect_url
