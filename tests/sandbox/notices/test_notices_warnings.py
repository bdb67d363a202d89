"""Notice 7 across a year that passes in one turn, in every zone the switch offers, and what a renewal does to it."""

from itertools import pairwise

import pytest

from tests.sandbox.kit import DAY, START, Sandbox
from tests.sandbox.receiving import Receiver

HOUR = 3600
# Midnight of the zone, as seconds after 0:00 UTC, and how many warnings there are: consent and end are at 8:00 UTC.
ZONES = [("UTC", 0, 31), ("UTC+8", 16 * HOUR, 31), ("UTC-8", 8 * HOUR, 30)]


@pytest.mark.parametrize(("zone", "midnight", "count"), ZONES)
async def test_a_year_is_warned_of_thirty_days_ahead_and_at_every_midnight_until_its_end(
    sandbox: Sandbox, receiver: Receiver, zone: str, midnight: int, count: int
) -> None:
    """One turn of 400 days: the first to the second, then one a day, none at the end nor after it."""
    await sandbox.steer("switches", daily_warning_zone=zone)
    app = await sandbox.app(webhook_url=receiver.url)
    pair = await sandbox.connected(app, await sandbox.seller(), period="365d")
    end = START + 365 * DAY
    await sandbox.steer("clock", advance="400d")
    told = [each.json for each in receiver.deliveries]
    times = [each["timestamp"] for each in told]
    days = [each["data"]["message"].partition(" in ")[2].partition(" days")[0] for each in told]

    assert end == pair["refresh_token_expire_in"]
    assert end - 30 * DAY == times[0]
    assert count == len(times)
    assert {midnight} == {at % DAY for at in times[1:]}
    assert [DAY] * (count - 2) == [later - earlier for earlier, later in pairwise(times[1:])]
    assert end - DAY <= times[-1] < end
    assert {str(end)} == {each["data"]["expiration_time"] for each in told}
    assert ("30", "1") == (days[0], days[-1])


@pytest.mark.parametrize("zone", [zone for zone, _, _ in ZONES])
@pytest.mark.parametrize("by_link", [True, False])
async def test_a_renewal_silences_the_warnings_until_the_next_end_draws_near(
    sandbox: Sandbox, receiver: Receiver, zone: str, *, by_link: bool
) -> None:
    """By the link or in Seller Center: not one more for the old end, and the new one is warned of from thirty days on."""
    await sandbox.steer("switches", daily_warning_zone=zone)
    app, seller = await sandbox.app(webhook_url=receiver.url), await sandbox.seller()
    pair = await sandbox.connected(app, seller, period="90d")
    await sandbox.steer("clock", advance="70d")
    before = len(receiver.deliveries)
    if by_link:
        await sandbox.steer("authorize", app=app["key"], seller=seller["email"], period="365d")
    else:
        await sandbox.steer(f"grants/{pair['grant_id']}/renew", period="365d")
    end = (await sandbox.ask("grants", app=app["key"]))["items"][0]["ends_at_unix"]
    await sandbox.steer("clock", now=end - 30 * DAY - 1)
    silent = len(receiver.deliveries)
    await sandbox.steer("clock", now=end - 30 * DAY)

    assert 10 <= before == silent
    assert [str(end)] == [each.json["data"]["expiration_time"] for each in receiver.deliveries[before:]]
    assert end - 30 * DAY == receiver.deliveries[-1].json["timestamp"]
