"""What is wrong with an app itself, for people: the platform refuses its credentials, or its notices do not arrive."""

from collections.abc import Sequence
from dataclasses import dataclass

from evergrant.web import words
from evergrant.web.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One thing only the team can put right, and what to do about it."""

    title: str
    sentence: str


async def of(desk: Desk, tenant_id: str) -> Sequence[Alarm]:
    """Everything that is wrong with a tenant's apps."""
    refused, missed = await desk.apps.refused_since(tenant_id), await desk.apps.notices_missed(tenant_id)
    if not refused and not missed:
        return []
    named = {app.id: app.name or app.key for app in await desk.apps.of(tenant_id)}
    return [
        *(
            Alarm(
                title=f"TikTok does not accept the credentials of {named[app_id]}",
                sentence=f"Since {words.day(since)}. Compare key and secret with Partner Center. Sellers need to do nothing.",
            )
            for app_id, since in refused.items()
        ),
        *(
            Alarm(
                title=f"TikTok's notices do not arrive for {named[app_id]}",
                sentence=f"{_never_came(found.count)} since {words.day(found.since)}. Check the webhook URL and its topics "
                "in Partner Center. Until then, what sellers end is found by asking, minutes later.",
            )
            for app_id, found in missed.items()
        ),
    ]


def _never_came(count: int) -> str:
    return "1 never came" if count == 1 else f"{count} never came"
