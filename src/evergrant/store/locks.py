"""The numbers of our advisory locks, in one list: two that are the same would make strangers wait for each other."""

MIGRATION = 7_316_001
"""Two programs that start together migrate one after the other."""

# 7_316_002 and 7_316_003 stand in migrations/versions/0004_in_their_order.sql: every commit of an event takes the first,
# the events of one object the second with a hash.

CHAIN = 7_316_004
"""One process binds a tenant's audit rows; taken with the tenant's hash."""

KEYRING = 7_316_005
"""One process makes, announces or retires a generation of the vault's key."""

EPOCHS = 7_316_011
"""One machine begins a new epoch of a restored database."""

REPLAYS = 7_316_012
"""One bulk retry of a tenant is put together at a time: no record is in two of them. Taken with the tenant's hash."""

RULES = 7_316_013
"""One rule of a tenant is added at a time, so that there are never too many. Taken with the tenant's hash."""

WARES = 7_316_014
"""Who looks for SKUs shares it, and who says what they are has it alone. Taken with the shop's hash."""
