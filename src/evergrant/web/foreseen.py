"""What the end of an authorization brings: asked of the books, and said in a sentence."""

from dataclasses import replace
from datetime import datetime

from evergrant.core import forecast
from evergrant.core.connection import Connection
from evergrant.core.forecast import DAY, MONTH, Forecast
from evergrant.web import words
from evergrant.web.desk import Desk


async def of(known: Connection, desk: Desk, now: datetime) -> Forecast:
    """The forecast for a connection, from the orders that are kept."""
    first, connected = await desk.records.beginnings(known.tenant_id, known.id)
    span = forecast.span(known, first, connected, now)
    count = await desk.records.begun(known.tenant_id, known.id, span.since, span.until)
    return forecast.forecast(known, replace(span, orders=count), now)


def sentence(found: Forecast) -> str:
    """What stops and what would wait, for people; empty where nothing runs that could stop."""
    if found.ends is None or not found.stopping:
        return ""
    flows = "1 flow stops" if found.stopping == 1 else f"{found.stopping} flows stop"
    return f"If nobody renews by {words.day(found.ends)}: {flows}{_orders(found)}."


def _orders(found: Forecast) -> str:
    waiting = found.waiting(MONTH)
    days = round(found.basis / DAY)
    if waiting is None:
        return "; how many orders would wait is not known yet"
    pace = "last month's pace" if days >= MONTH.days else f"the pace of the last {words.days(days)}"
    if waiting == 0:
        return f"; at {pace} no orders would wait"
    return f"; at {pace} about {waiting} {'order' if waiting == 1 else 'orders'} a month would wait"
