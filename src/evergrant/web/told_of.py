"""What a life history says in words: what happened, whether it is good news, and who did it."""

from collections.abc import Mapping
from typing import Any

from evergrant.web import words

AUDITED: Mapping[str, tuple[str, str]] = {
    "token.read": ("key", "The access token was read{times}."),
    "platform.called": ("plug-connected", "TikTok was called for your own code{times}."),
    "platform.told_again": ("plug-connected", "What TikTok had answered was told to your own code again{times}."),
    "token.refreshed": ("refresh", "The token pair was refreshed."),
    "token.not_refreshed": ("refresh", "{outcome}"),
    "token.probed": ("help-circle", "After a restore the refresh token is shown once more, as a probe."),
    "link_session.created": ("link", "A link to renew it was made."),
    "link_session.revoked": ("link", "A link to renew it was withdrawn."),
}

OUTCOMES: Mapping[str, str] = {
    "not_sent": "A refresh did not reach TikTok. It is tried again.",
    "told_to_wait": "TikTok asked to wait with the refresh.",
    "misconfigured": "TikTok refuses the app's own credentials, so the token was not refreshed.",
    "final": "TikTok refused the refresh for good.",
    "in_doubt": "The answer to a refresh was lost.",
    "outlived": "A refresh came out after a newer pair was there.",
}

GOOD = frozenset({"connection.authorized", "connection.renewed", "connection.resumed", "link_session.completed"})
BAD = frozenset(
    {
        "connection.expired",
        "connection.cancelled",
        "connection.deactivated",
        "connection.reauthorization_required",
        "connection.suspended",
        "connection.in_doubt",
        "connection.expiring",
        "connection.erased",
        "link_session.failed",
        "link_session.wrong_shop",
        "flow.record_unreadable",
        "tokens.destroyed",
    }
)


def step(kind: str, data: Mapping[str, Any]) -> tuple[str, str, str]:
    """An icon, a sentence, and a tone: well, over or quiet."""
    tone = "well" if kind in GOOD else ("over" if kind in BAD or data.get("outcome") == "final" else "quiet")
    if kind not in AUDITED:
        return *words.event(kind, data), tone
    icon, sentence = AUDITED[kind]
    count, outcome = data.get("count", 1), str(data.get("outcome", ""))
    times = f" {count} times" if count > 1 else ""
    return icon, sentence.format(times=times, outcome=OUTCOMES.get(outcome, outcome)), tone


def actor(who: str, *, you: str) -> str:
    """Who did it, for people."""
    kind, _, name = who.partition(":")
    if who == you:
        return "by you"
    if who.startswith("key_"):
        return f"by API key {who[:12]}…"
    if who.startswith("per_"):
        return "by somebody of your team"
    return {
        "link": "by the shop's owner, through a link",
        "notice": f"after TikTok's notice {name}",
        "": "by Evergrant",
        "command line": "on the command line",
    }.get(kind, "by Evergrant")


def code(kind: str, data: Mapping[str, Any]) -> str:
    """The codes behind the sentence, for whoever looks them up."""
    why = data.get("reason") or data.get("outcome")
    return f"{kind} · {why}" if why else kind
