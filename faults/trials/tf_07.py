"""TF-07: the word of a commit is lost, or the commit itself, at every commit of every flow in turn."""

import traceback

from faults.flows_of_commits import FLOWS, Flow
from faults.inside import Inside, inside
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.tools.postgres_proxy import Act, PostgresProxy, Rule

WRITES = r"\b(insert into|update|delete from) "
AGES = 2
"""How often time passes after it: a second attempt may need what the first one left."""


async def run(stand: Stand) -> None:
    """First how many commits a flow has; then each of them is struck, both ways, again and again."""
    async with (
        stand.world("commits", hubs=0, workers=0) as world,
        PostgresProxy(world.dsn, folder=world.folder / "proxy") as proxy,
        inside(world, proxy.dsn) as hub,
    ):
        for flow in FLOWS:
            tally, number = stand.tally(flow.name), 0
            commits = await _struck(hub, proxy, flow, Act.LOSE_WORD, 0, number, tally)
            tally.note(f"{commits} commits")
            ways = [(act, nth) for act in (Act.LOSE_WORD, Act.LOSE_COMMIT) for nth in range(1, commits + 1)]
            stand.dice(flow.name).shuffle(ways)  # sweeps commit too, and there are more ways than trials by default
            hits = 0
            for number in range(1, stand.times(24, 200) + 1):
                act, nth = ways[(number - 1) % len(ways)]
                with tally.trial():
                    hits += bool(await _struck(hub, proxy, flow, act, nth, number, tally))
            tally.note(f"{hits} struck")


async def _struck(hub: Inside, proxy: PostgresProxy, flow: Flow, act: Act, nth: int, number: int, tally: Tally) -> int:
    """One run of a flow with its nth commit struck; with none, gives how many there were."""
    try:
        doing, check = await flow.prepare(hub, number)
        rule = proxy.add(Rule(act=act, matching=WRITES, nth=nth or 10**9))
        await doing()
        proxy.release()
        for _ in range(AGES):
            await hub.ages()
            await hub.work()
        tally.add([f"{act} {nth}: {what}" for what in await check()])
    except Exception as error:  # noqa: BLE001  (a door that failed otherwise than with 503 is a violation too)
        proxy.release()
        tally.violated(f"{act} {nth}: {type(error).__name__}: {error} {traceback.format_exc()[-300:]}")
        return 0
    return rule.hits if nth else rule.seen


TEST = Trial(
    id="TF-07",
    proves="a commit whose word is lost, in every flow: effects once, told once, in order",
    run=run,
)
