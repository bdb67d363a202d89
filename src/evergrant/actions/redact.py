"""Take the buyers out of orders that were kept for long enough."""

from evergrant.actions.ports import Ports
from evergrant.providers import dialects

AT_ONCE = 50
MOST_ROUNDS = 100


async def sweep(clock: str, ports: Ports) -> int:
    """Take buyers out of the orders of a clock whose time is over; gives out of how many."""
    done = 0
    for _ in range(MOST_ROUNDS):
        aged = await ports.books.terms.aged(clock, await ports.clock.now(clock), AT_ONCE)
        done += await ports.books.terms.redact(
            [(order, dialects.named(order.provider).without_buyer(order.document)) for order in aged]
        )
        if len(aged) < AT_ONCE:
            break
    return done
