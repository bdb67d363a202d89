"""`python -m evergrant_sandbox`: start the platform on this machine."""

import argparse
import logging
import sys
from pathlib import Path

import uvloop

from evergrant_sandbox import addresses
from evergrant_sandbox.addresses import Address, CannotStartError
from evergrant_sandbox.server import Place, serve

_HOSTS_AT = "127.0.0.1:443"

_EXAMPLE = """\
example:
  python -m evergrant_sandbox --port 8090 --data .evergrant/sandbox
  then open http://127.0.0.1:8090/ for the sign-ins, or ask
  curl http://127.0.0.1:8090/_sandbox/world

for clients with TikTok's hosts built in:
  python -m evergrant_sandbox --hosts --hosts-address 127.0.0.1:8443 --hosts-proxy 127.0.0.1:8491
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evergrant_sandbox",
        description="TikTok Shop's side of authorization, wire-compatible, with a clock that can be turned.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8090, help="port to listen at (default: %(default)s)")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(".evergrant/sandbox"),
        metavar="DIR",
        help="folder in which the world is kept, so that a restart forgets nothing (default: %(default)s)",
    )
    parser.add_argument(
        "--allow-remote", action="store_true", help="listen beyond loopback; steering stays on this machine"
    )
    hosts = parser.add_argument_group("real host names", "for clients with TikTok's hosts built in")
    hosts.add_argument(
        "--hosts",
        action="store_true",
        help="serve them over TLS too, and say what to put into a hosts file and which certificate authority to trust",
    )
    hosts.add_argument(
        "--hosts-address",
        metavar="ADDRESS",
        help=f"where (default: {_HOSTS_AT}; a port below 1024 often takes an administrator); implies --hosts",
    )
    hosts.add_argument(
        "--hosts-proxy",
        metavar="ADDRESS",
        help="an HTTPS proxy that leads these names there, for who has no hosts file to change; implies --hosts",
    )
    return parser


def _place(given: argparse.Namespace) -> Place:
    """Where to listen, none of it beyond loopback unless that is wanted.

    Raises:
        CannotStartError: an address is none, or can be reached from other machines.
    """
    hosts = tunnel = None
    if given.hosts or given.hosts_address or given.hosts_proxy:
        hosts = addresses.read(given.hosts_address or _HOSTS_AT, port=443, option="--hosts-address")
    if given.hosts_proxy:
        tunnel = addresses.read(given.hosts_proxy, port=8491, option="--hosts-proxy")
    at = Address(given.host, given.port)
    for each in (at, hosts, tunnel):
        if each and not given.allow_remote:
            addresses.check_loopback(each.host)
    return Place(at=at, folder=given.data, hosts=hosts, tunnel=tunnel)


def main() -> int:
    """Run the command; 0 when it was stopped, 2 when it could not start."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    # Granian calls its embedded server experimental with every start; decision 0020 says why it is used all the same.
    logging.getLogger("_granian").setLevel(logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        uvloop.run(serve(_place(given)))
    except CannotStartError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
