"""Who may steer: programs on this machine, not other machines, and not pages of other sites in a local browser."""

import ipaddress

from starlette.requests import Request

from evergrant_sandbox.world.app import is_loopback


class ForeignCallError(Exception):
    """A steering call that comes from somewhere else; carries a stable code."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def check(request: Request) -> None:
    """Let a steering call pass.

    Raises:
        ForeignCallError: it comes from another machine, by another name, or from another site's page.
    """
    check_machine(request)
    if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise ForeignCallError("foreign_page", "Pages of other sites may not steer the sandbox.")


def check_machine(request: Request) -> None:
    """Let somebody look who may steer; a link on another site's page may lead there.

    Raises:
        ForeignCallError: it comes from another machine, or by another name.
    """
    peer = request.client.host if request.client else ""
    if not _is_loopback_address(peer):
        raise ForeignCallError("not_loopback", "Steering works from this machine only.")
    # A foreign page in a local browser also comes from loopback; its host name or its origin gives it away.
    if not is_loopback(request.url.hostname):
        raise ForeignCallError("foreign_host", "Call the sandbox by 127.0.0.1 or localhost.")


def _is_loopback_address(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
