"""What may be due in a life, and when it is at rest: nothing to do, or nothing but time to wait for."""

IDLE = frozenset({"", "0"})
WAITS = IDLE | {"not_yet", "token_expired"}
"""What is said where only more time tells: a suspended connection whose last refresh is in doubt is asked about again, and
its access token may be dead before its end, when the answer to a later consent was lost.
"""

PATIENCE = 6
"""After so many rounds platform time goes on by more than the ten minutes for which a fresh token is believed."""

LEASES = ("tokens", "flows", "authorization_requests", "notices")
ENDED = "in_{0} as (update {0} set lease_until = now() - interval '1 second' where lease_until > now())"
REST = """
asked as (update connections set verify_after = now() where verify_after > now()),
rested as (delete from app_paces), called as (delete from app_calls), paced as (delete from shop_paces) select true
"""
A_MINUTE = f"with {', '.join(ENDED.format(table) for table in LEASES)}, {REST}"
"""Every lease is over, every rest too."""

MAY_BE_DUE = """
select array_remove(array[
    case when exists(select from notices where settled_at is null) then 'digest' end,
    case when exists(select from authorization_requests where exchange in ('waiting', 'sent', 'answered')) then 'finish' end,
    case when exists(select from presentations where outcome is null) then 'doubts' end,
    case when exists(select from stray_pairs where tried_at is null) then 'orphans' end,
    case when exists(select from tokens where due_at <= $1) then 'refresh' end,
    case when exists(select from flows where next_run_at <= $1) then 'sync' end,
    case when exists(select from connections where verify_after is not null) then 'verify' end,
    case when exists(select from connections where authorization_ends <= $1
        and state in ('active', 'suspended', 'reauthorization_required')) then 'expire' end
], null)
"""
"""The work for which there may be something to do: where there is none, nobody needs to ask. It knows less than those who
take the work, so that it says too much rather than too little; and the last time of a life all of them are asked.
"""


def rests(said: list[str], turn: int) -> bool:
    """Whether there is nothing to do; after a while also where nothing but time is waited for."""
    words = {word for each in said for word in each.split()}
    return words <= (WAITS if turn > PATIENCE else IDLE)
