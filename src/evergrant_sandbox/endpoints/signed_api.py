"""The signed API: a call finds its endpoint in the table, passes the gate, and is answered in the platform's envelope."""

import re

from evergrant_sandbox import errors, switches
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.endpoints import envelope
from evergrant_sandbox.endpoints.admission import Gate
from evergrant_sandbox.endpoints.table import Table
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.faults import Subject
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.wire import Answer, Call

# "The version is in the path: /{package}/{yyyymm}/..." Whatever looks like this belongs to the API host.
ITS_PATHS = re.compile(r"/[a-z_]+/20\d{4}(/|$)")


_MORE_DETAILS = " For more details: https://m.tiktok.shop/s/SANDBOX"


class SignedApi:
    """open-api.tiktokglobalshop.com."""

    kind = "api"

    def __init__(self, platform: Platform) -> None:
        self._gate = Gate(book=platform.book, mint=platform.mint, switches=platform.switches)
        self._switches = platform.switches
        self._dice = platform.dice
        self._table = Table(platform)

    def subject(self, call: Call) -> Subject:
        """What the call is about: the app it names and the grant behind its token."""
        value = call.header(b"x-tts-access-token") or call.query.get("access_token", "")
        token = self._gate.find(value)
        return Subject(
            kind=self.kind,
            path=call.path,
            app=call.query.get("app_key", ""),
            grant=token.grant.id if token else None,
        )

    def answer(self, call: Call, entry: Entry, *, now: int) -> Answer:
        """The data asked for, or a refusal in the platform's envelope."""
        number = envelope.request_id(self._dice, now)
        try:
            endpoint, ids = self._table.find(call.method, call.path)
            data = endpoint.answer(self._gate.admit(call, entry, endpoint, ids, now=now))
        except RefusalError as refusal:
            entry.code, entry.message = refusal.code.number, refusal.message
            return self._refused(refusal, number)
        entry.code = 0
        return Answer(200, envelope.success(b"Success", data, number))

    def broken(self, now: int) -> Answer:
        """The envelope of an internal error."""
        code = errors.INTERNAL_ERROR
        return Answer(500, envelope.refusal(code.number, code.message, envelope.request_id(self._dice, now)))

    def _refused(self, refusal: RefusalError, number: str) -> Answer:
        message = refusal.message
        if self._switches.of(switches.MORE_DETAILS_LINK) == "added":
            message += _MORE_DETAILS
        headers = () if refusal.retry_after is None else ((b"retry-after", str(refusal.retry_after).encode()),)
        body = envelope.refusal(refusal.code.number, message, number)
        return Answer(self._status(refusal), body, headers=headers)

    def _status(self, refusal: RefusalError) -> int:
        if refusal.code is errors.DEAUTHORIZED:
            return int(self._switches.of(switches.DEAUTHORIZED_STATUS))
        return refusal.code.status or int(self._switches.of(switches.UNRECORDED_STATUS))
