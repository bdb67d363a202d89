"""What a consent makes of a connection: the one known, or a new one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from evergrant.actions.ports import Ports
from evergrant.core import connection, lifecycle
from evergrant.core.app import App
from evergrant.core.authorization import PENDING
from evergrant.core.connection import Change, Connection, Event, Flow, Shop
from evergrant.core.cure import Cause
from evergrant.providers import dialects
from evergrant.providers.wire import Granted, Trouble


def fresh(app: App, merchant_id: str, granted: Granted, ports: Ports) -> Connection:
    """A connection of this customer that nothing was granted to yet."""
    return Connection(
        tenant_id=app.tenant_id,
        id=ports.dice.identifier("con"),
        merchant_id=merchant_id,
        app_id=app.id,
        provider=app.provider,
        region=app.region,
        open_id=granted.open_id,
        seller_name=granted.seller_name,
        clock=app.clock,
        authorization=PENDING,
        revision=0,
    )


def change(known: Connection, app: App, granted: Granted, granted_at: datetime, shops: Sequence[Shop]) -> Change:
    """The connection after this consent: a new end, the shops it covers, every flow as the gate says."""
    news = lifecycle.News(
        kind=lifecycle.Kind.GRANTED, at=granted_at, ends=granted.pair.refresh_ends, scopes=granted.scopes
    )
    needs = dialects.named(app.provider).FLOW_SCOPES
    again = connection.regranted(known, shops)
    again = replace(again, flows=tuple(_retried(flow) for flow in again.flows))
    changed = connection.apply(again, news, needs=needs, now=granted_at)
    lost = known.authorization.scopes - granted.scopes
    told = [Event(type="connection.scopes_changed", data={"lost": sorted(lost)})] if lost else []
    missing = changed.after.authorization.missing(app.required_scopes)
    if missing and missing != (known.authorization.missing(app.required_scopes) if known.revision else None):
        data: dict[str, str | int | list[str] | None] = {"missing": sorted(missing), "reason": Cause.NEW_PERMISSIONS}
        told.append(Event(type="connection.scopes_missing", data=data))
    return replace(changed, before=known, events=(*changed.events, *told))


def _retried(flow: Flow) -> Flow:
    """A poll the platform refused for want of a permission waits no longer: this consent may have given it."""
    return replace(flow, next_run_at=None) if flow.last_error == Trouble.SCOPE_MISSING else flow
