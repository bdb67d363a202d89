"""The platform's envelope around every answer of a machine: code, message, request id, data."""

import time

import msgspec

from evergrant_sandbox.world import ids
from evergrant_sandbox.world.ids import Dice

_encode = msgspec.json.Encoder().encode


def request_id(dice: Dice, now: int) -> str:
    """14 digits of date and time, then hex. The zone differs by host and era on the platform; here it is UTC."""
    return ids.request_id(dice, time.strftime("%Y%m%d%H%M%S", time.gmtime(now)))


def success(message: bytes, data: bytes, number: str) -> bytes:
    """An answer with data. The token host says `success`, the API host `Success`."""
    return b'{"code":0,"message":"%b","data":%b,"request_id":"%b"}' % (message, data, number.encode())


def refusal(code: int, message: str, number: str) -> bytes:
    """A refusal of the API host, with `data` null."""
    return b'{"code":%d,"data":null,"message":%b,"request_id":"%b"}' % (code, _encode(message), number.encode())


def refusal_without_data(code: int, message: str, number: str) -> bytes:
    """A refusal of the token host, whose fixtures have no `data`."""
    return b'{"code":%d,"message":%b,"request_id":"%b"}' % (code, _encode(message), number.encode())
