"""Many apps behind one hub: a return is taken for the app it names, and by no other, whatever it says of itself."""

from itertools import product
from typing import Any
from urllib.parse import urlencode

from tests.world_fixture import World

KEYS, REGIONS = ("6mixone", "6mixtwo", "6mixthree"), ("ROW", "US")


async def an_app(world: World, key: str, region: str) -> dict[str, Any]:
    """One more app of the tenant."""
    given = {"key": key, "secret": f"secret-{key}-{region}", "service_id": "7", "region": region}
    answer = await world.hub.api.post("/v1/apps", json=given | {"base_urls": {"sandbox": world.sandbox.url}})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def said(own: str, foreign: str) -> dict[str, str | None]:
    """What a return may say of its app: nothing, the truth, and everything near it."""
    return {
        "missing": None,
        "own": own,
        "foreign": foreign,
        "other case": own.upper(),
        "with a slash": f"{own}/",
        "with a space": f"{own} ",
        "shorter": own[:-1],
        "empty": "",
    }


async def spent(world: World) -> int:
    """How many states were spent."""
    async with world.hub.parts.database.connection() as connection:
        return int(
            await connection.fetchval("select count(*) from authorization_requests where consumed_at is not null")
        )


async def test_no_wrong_combination_of_path_state_key_and_issuer_spends_anything(world: World) -> None:
    """Every app's state at every app's path, and at its own path with every wrong name: 400, 0 token calls."""
    person = world.hub.new_browser()
    apps = [await an_app(world, key, region) for key, region in product(KEYS, REGIONS)]
    states = {app["id"]: await world.depart(person, await world.link_session(app_id=app["id"])) for app in apps}
    tried = []
    for app, at in product(apps, apps):
        query = {"code": "TTP_x", "state": states[app["id"]], "app_key": at["key"], "iss": at["base_urls"]["authorize"]}
        wrong = [query] if app is not at else []
        foreign = next(other["key"] for other in apps if other["key"] != at["key"])
        issuers = said(at["base_urls"]["authorize"], "https://services.us.tiktokshop.com")
        for key, issuer in product(said(at["key"], foreign).values(), issuers.values()) if app is at else ():
            if {key, issuer} <= {None, query["app_key"], query["iss"]}:
                continue
            named = {name: value for name, value in (("app_key", key), ("iss", issuer)) if value is not None}
            wrong.append({"code": "TTP_x", "state": states[app["id"]]} | named)
        tried += [f"/cb/tiktok-shop/{at['id']}?{urlencode(each)}" for each in wrong]
        tried += [f"/cb/{name}/{at['id']}?{urlencode(query)}" for name in ("tiktok", "TikTok-Shop")]
    answers = [await person.get(path) for path in tried]

    assert 450 < len(tried)
    assert {(400, "app_mismatch")} == {(answer.status_code, answer.headers["x-error-code"]) for answer in answers}
    assert 0 == await spent(world)
    assert [] == world.sandbox.log(kind="token")


async def test_a_return_that_names_its_own_app_is_taken_and_what_nobody_knows_is_ignored(world: World) -> None:
    """A wrong one first: the state is still there for the right one, extra parameters and all."""
    person, link = world.hub.new_browser(), await world.link_session()
    back = world.consent(await world.depart(person, link))
    own = {"app_key": "6storykey0001", "iss": world.sandbox.url, "shop_region": "US", "locale": "en", "x": "1"}
    assert 400 == (await person.get(f"{back}&app_key=6storykey0001&app_key=6other")).status_code

    assert 303 == (await person.get(f"{back}&{urlencode(own)}")).status_code
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]
    assert 1 == len(world.sandbox.log(kind="token"))
