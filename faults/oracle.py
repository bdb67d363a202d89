"""The invariants, computed from what the platform saw and what the hub's database and API say (reliability reference, 2).

Every function gives the violations it found, each as a sentence; none means that the invariant holds.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from evergrant.core.tokens import Rotation
from faults.steering import Grant, Seen
from faults.world import Bond, World

LOOK_SECONDS = 0.25
FORGIVING = (Rotation.STABLE, Rotation.RETRY_SAFE)
LEASE_OF_TOKENS = 60.0
"""How long after its death a token may still be used by who had read it before (I4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One connection on both sides: which refresh token, what the API says of it, what the platform says."""

    bond: Bond
    vault: str | None
    platform: str | None
    status: str
    reason: str | None
    in_doubt: bool
    grant_status: str

    @property
    def is_same(self) -> bool:
        """Whether the hub holds the platform's newest token."""
        return self.vault is not None and self.vault == self.platform

    @property
    def is_told(self) -> bool:
        """Whether the API says that it may not."""
        return self.in_doubt or self.status == "reauthorization_required"


async def standings(world: World, bonds: Iterable[Bond]) -> list[Standing]:
    """How these connections stand on both sides; the API is asked as a vendor would."""
    wanted = list(bonds)
    rows = await world.sql("select connection_id, encode(refresh_hash, 'hex') as hash from tokens")
    vault = {row["connection_id"]: row["hash"] for row in rows}
    shown = {item["id"]: item for item in await world.all("/v1/connections")}
    grants: dict[str, Grant] = {}
    for app in {bond.app.key for bond in wanted}:
        grants |= await world.platform.grants(app)
    return [
        Standing(
            bond=bond,
            vault=vault.get(bond.id),
            platform=grants[bond.grant].refresh,
            status=shown[bond.id]["status"],
            reason=shown[bond.id]["reason"],
            in_doubt=shown[bond.id]["in_doubt_since"] is not None,
            grant_status=grants[bond.grant].status,
        )
        for bond in wanted
    ]


def silent_losses(found: Iterable[Standing]) -> list[str]:
    """I1: the vault's refresh token is the platform's, or the API says that it may not be."""
    return [
        f"I1 {each.bond.mode}: {each.bond.id} holds another token than the platform and says {each.status}"
        for each in found
        if not each.is_same and not each.is_told
    ]


def losses(found: Iterable[Standing]) -> list[str]:
    """I1, second half: where the platform forgives a second use, nothing is lost, in doubt, or asked of a seller."""
    return [
        f"I1 {each.bond.mode}: {each.bond.id} is {each.status}, in doubt {each.in_doubt}, same token {each.is_same}"
        for each in found
        if each.bond.mode in FORGIVING and (not each.is_same or each.in_doubt or each.status != "active")
    ]


def revoked(found: Iterable[Standing]) -> list[str]:
    """No grant was revoked by what we showed."""
    return [
        f"{each.bond.mode}: the grant of {each.bond.id} is {each.grant_status}"
        for each in found
        if each.grant_status != "active"
    ]


async def presentations(world: World, bonds: Iterable[Bond], seen: Sequence[Seen]) -> list[str]:
    """I2: a refresh token reaches the platform once, and once more for each declared probe or call to wait.

    Where tokens never change, it reaches it once for each attempt the hub has written down before. A call that was cut
    before the platform looked at it shows no token in the log.
    """
    attempts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in await world.sql("select encode(refresh_hash, 'hex') as hash, probe, outcome from presentations"):
        attempts[row["hash"]]["all"] += 1
        attempts[row["hash"]]["more"] += bool(row["probe"]) or row["outcome"] in ("told_to_wait", "misconfigured")
    modes = {bond.grant: bond.mode for bond in bonds}
    shown = Counter((each.grant, each.shown) for each in seen if each.grant in modes and each.shown)
    found = []
    for (grant, token), times in shown.items():
        known = attempts[token]
        most = known["all"] if modes[grant] is Rotation.STABLE else min(known["all"], 1 + known["more"])
        if times > most:
            found.append(
                f"I2 {modes[grant]}: a refresh token of grant {grant} reached the platform {times} times, {most} allowed"
            )
    return found


async def writers(world: World, bonds: Iterable[Bond], seen: Sequence[Seen], versions: Mapping[str, int]) -> list[str]:
    """I3: at most one refresh of a grant in flight, except a declared probe where the platform forgives it; versions
    rise by one for each answer that was kept, and by nothing else.
    """
    wanted = {bond.grant: bond for bond in bonds}
    found, open_until = [], dict[str, float]()
    for each in sorted(seen, key=lambda one: one.begun):
        bond = wanted.get(each.grant)
        if bond and each.begun < open_until.get(each.grant, 0.0) and bond.mode not in FORGIVING:
            found.append(f"I3 {bond.mode}: two refreshes of grant {each.grant} at once")
        open_until[each.grant] = max(open_until.get(each.grant, 0.0), each.ended)
    rows = await world.sql(
        """
        select t.connection_id, t.version, (select count(*) from presentations p
            where p.connection_id = t.connection_id and p.outcome = 'ok') as kept from tokens t
        """
    )
    for row in rows:
        before = versions.get(row["connection_id"])
        if before is not None and row["version"] < before:
            found.append(f"I3: the version of {row['connection_id']} fell from {before} to {row['version']}")
        if row["version"] != 1 + row["kept"]:
            found.append(f"I3: {row['connection_id']} has version {row['version']} after {row['kept']} answers")
    return found


async def versions(world: World) -> dict[str, int]:
    """The version of every pair, to be compared later."""
    return {
        row["connection_id"]: row["version"] for row in await world.sql("select connection_id, version from tokens")
    }


async def uses_of_the_dead(world: World, deaths: Mapping[str, float]) -> list[str]:
    """I4: no business call with a token (by SHA-256) later than a minute after its death (wall time)."""
    return [
        f"I4: a dead token was used {line['wall'] - deaths[line['token_sha256']]:.0f} s after its death"
        for line in await world.platform.lines(kind="api")
        if line["token_sha256"] in deaths and line["wall"] > deaths[line["token_sha256"]] + LEASE_OF_TOKENS
    ]


def identities_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """I8: what `identities` gave, before and after."""
    return [f"I8: {key} was {before[key]} and is {after.get(key)}" for key in before if before[key] != after.get(key)]


async def identities(world: World) -> dict[str, tuple[str, ...]]:
    """Who each connection is for life."""
    rows = await world.sql("select id, provider, app_id, region, open_id from connections")
    return {row["id"]: tuple(row.values())[1:] for row in rows}


async def settled(world: World, bonds: Sequence[Bond], seconds: float, *, doubts: bool = True) -> float | None:
    """Wait until nothing of these is open: no attempt without an outcome, no refresh due, without `doubts` no doubt.

    Gives the seconds it took, None if it did not in time.
    """
    begun = monotonic()
    while True:
        rows = await world.sql(
            """
            select count(*) filter (where t.due_at <= $2) as due, count(*) filter (where c.in_doubt_since is not null and
                c.state = 'active') as doubts, (select count(*) from presentations p where p.connection_id = any($1) and p.outcome is null)
                as open
            from tokens t join connections c on c.tenant_id = t.tenant_id and c.id = t.connection_id
            where t.connection_id = any($1)
            """,
            [bond.id for bond in bonds],
            await world.now(),
        )
        left = rows[0]["due"] + rows[0]["open"] + (0 if doubts else rows[0]["doubts"])
        if left == 0:
            return monotonic() - begun
        if monotonic() - begun > seconds:
            return None
        await asyncio.sleep(LOOK_SECONDS)
