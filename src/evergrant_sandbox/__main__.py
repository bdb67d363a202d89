"""`python -m evergrant_sandbox`: start the platform on this machine."""

import argparse
import logging
import sys
from pathlib import Path

import uvloop

from evergrant_sandbox.server import CannotStartError, Place, check_loopback, serve

_EXAMPLE = """\
example:
  python -m evergrant_sandbox --port 8090 --data .evergrant/sandbox
  then open http://127.0.0.1:8090/ for the sign-ins, or ask
  curl http://127.0.0.1:8090/_sandbox/world
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
    return parser


def main() -> int:
    """Run the command; 0 when it was stopped, 2 when it could not start."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    # Granian calls its embedded server experimental with every start; decision 0020 says why it is used all the same.
    logging.getLogger("_granian").setLevel(logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        if not given.allow_remote:
            check_loopback(given.host)
        uvloop.run(serve(Place(host=given.host, port=given.port, folder=given.data)))
    except CannotStartError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
