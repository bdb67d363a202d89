"""Whether a return from the platform is meant for the app in its path: what it says of itself must not say otherwise."""

from collections.abc import Iterable

from evergrant.core.app import App


def is_for(app: App, told: Iterable[tuple[str, str]]) -> bool:
    """Whether every `app_key` and every `iss` among the parameters is this app's own, to the letter.

    TikTok Shop is not known to send either (wire sheet 1.4), so that none proves nothing and is accepted; one that
    comes and differs means that two authorization servers were mixed up (RFC 9207). Other parameters are nobody's.
    """
    own = {"app_key": app.key, "iss": app.hosts.authorize}
    return all(own.get(name, value) == value for name, value in told)
