"""Exchange and refresh: how a code becomes a pair and a pair becomes the next one."""

from dataclasses import dataclass

from evergrant_sandbox import errors, switches
from evergrant_sandbox.book import codes, development_shops, grants, history, pairs
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.history import What
from evergrant_sandbox.book.pairs import NewPair, RefreshToken
from evergrant_sandbox.errors import Code, RefusalError
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world.app import App, OldAccess
from evergrant_sandbox.world.grant import EndedBy, Grant, State
from evergrant_sandbox.world.rotation import OUTCOMES, Outcome, use_of
from evergrant_sandbox.world.tokens import Half, Mint, Seal, sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A pair as the token host answers it, with the grant it stands for."""

    grant: Grant
    access_token: str
    access_ends_at: int
    refresh_token: str
    refresh_ends_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Gives out pairs of one world by its rules."""

    book: Book
    mint: Mint
    switches: Switches

    def exchange(self, app: App, code: str, *, now: int) -> Pair:
        """The first pair of a consent, for its code.

        Raises:
            RefusalError: the code is unknown, over, another app's, or was used; or the grant is over.
        """
        hashed = sha256(code)
        spent = codes.spend(self.book, sha256=hashed, app_key=app.key, now=now)
        grant = grants.find(self.book, spent.grant_id) if spent else None
        if spent is None or grant is None or not grant.is_alive(now):
            self._punish_reuse(app, hashed, now=now)
            raise RefusalError(errors.INVALID_AUTH_CODE)
        self._check_test_account(grant, otherwise=errors.INVALID_AUTH_CODE, now=now)
        if self.switches.of(switches.OLD_PAIR_AFTER_RECONSENT) != "kept":
            pairs.revoke_consents_before(self.book, grant_id=grant.id, consent=spent.consent, at=now)
        serial = pairs.next_serial(self.book, grant.id)
        return self._give(app, grant, consent=spent.consent, serial=serial, now=now)

    def refresh(self, app: App, refresh_token: str, *, now: int) -> Pair:
        """The next pair for a refresh token, by the app's rotation.

        Raises:
            RefusalError: the token is unknown, another app's, used up, revoked or past its time.
        """
        token = self.find(refresh_token)
        # "can not find related auth record": junk, other apps' tokens and those of an ended authorization alike.
        if token is None or token.grant.app_key != app.key:
            raise RefusalError(errors.NO_AUTH_RECORD)
        if token.revoked_at is not None or token.grant.state is not State.ACTIVE:
            raise RefusalError(errors.NO_AUTH_RECORD)
        if token.ends_at <= now or token.grant.ends_at <= now:
            raise RefusalError(errors.REFRESH_TOKEN_EXPIRED)
        self._check_test_account(token.grant, otherwise=errors.REFRESH_TOKEN_EXPIRED, now=now)
        use = use_of(used_at=token.used_at, successor_used=token.successor_used_at, grace=app.grace, now=now)
        match OUTCOMES[app.rotation][use]:
            case Outcome.NEW_PAIR:
                return self._rotate(app, token, now=now)
            case Outcome.NEW_ACCESS_TOKEN:
                return self._renew_access(app, token, refresh_token, now=now)
            case Outcome.SAME_PAIR_AGAIN:
                return self._repeat(token)
            case Outcome.GRANT_REVOKED:
                grants.end(self.book, token.grant.id, state=State.DEACTIVATED, by=EndedBy.REFRESH_REUSE, at=now)
                pairs.revoke_all(self.book, grant_id=token.grant.id, at=now)
                said = f"{State.DEACTIVATED} because a refresh token was used twice"
                history.note(self.book, grant_id=token.grant.id, at=now, what=What.ENDED, detail=said)
        raise RefusalError(errors.NO_AUTH_RECORD)

    def find(self, refresh_token: str) -> RefreshToken | None:
        """The refresh token behind a value, whatever became of it."""
        seal = self.mint.read(Half.REFRESH, refresh_token)
        return pairs.refresh_token(self.book, seal) if seal else None

    def _check_test_account(self, grant: Grant, *, otherwise: Code, now: int) -> None:
        if development_shops.has_expired(self.book, grant.seller_id, now=now):
            match self.switches.of(switches.EXPIRED_TEST_ACCOUNT):
                case "deauthorized":
                    raise RefusalError(errors.NO_AUTH_RECORD)
                case "expired":
                    raise RefusalError(otherwise)

    def _rotate(self, app: App, token: RefreshToken, *, now: int) -> Pair:
        serial = pairs.rotate(self.book, token, at=now)
        if serial is None:
            raise RefusalError(errors.NO_AUTH_RECORD)
        if app.old_access is OldAccess.DIES:
            pairs.revoke_access(self.book, grant_id=token.grant.id, below=serial, at=now)
        return self._give(app, token.grant, consent=token.consent, serial=serial, now=now)

    def _renew_access(self, app: App, token: RefreshToken, refresh_token: str, *, now: int) -> Pair:
        grant = token.grant
        serial = pairs.next_serial(self.book, grant.id)
        pairs.move_end(self.book, token)
        if app.old_access is OldAccess.DIES:
            pairs.revoke_access(self.book, grant_id=grant.id, below=serial, at=now)
        seal = Seal(grant.id, serial)
        ends_at = self._access_end(app, grant, now)
        pairs.keep(
            self.book,
            NewPair(
                seal=seal, consent=token.consent, scopes=grant.scopes, access_ends_at=ends_at, refresh_ends_at=None
            ),
        )
        return Pair(
            grant=grant,
            access_token=self.mint.token(Half.ACCESS, prefix=grant.prefix, seal=seal),
            access_ends_at=ends_at,
            refresh_token=refresh_token,
            refresh_ends_at=grant.ends_at,
        )

    def _repeat(self, token: RefreshToken) -> Pair:
        seal = Seal(token.grant.id, token.successor or 0)
        ends_at = pairs.access_ends_at(self.book, seal)
        if ends_at is None:
            raise RefusalError(errors.NO_AUTH_RECORD)
        return self._pair(token.grant, seal, access_ends_at=ends_at)

    def _give(self, app: App, grant: Grant, *, consent: int, serial: int, now: int) -> Pair:
        pair = self._pair(grant, Seal(grant.id, serial), access_ends_at=self._access_end(app, grant, now))
        pairs.keep(
            self.book,
            NewPair(
                seal=Seal(grant.id, serial),
                consent=consent,
                scopes=grant.scopes,
                access_ends_at=pair.access_ends_at,
                refresh_ends_at=pair.refresh_ends_at,
            ),
        )
        return pair

    def _pair(self, grant: Grant, seal: Seal, *, access_ends_at: int) -> Pair:
        return Pair(
            grant=grant,
            access_token=self.mint.token(Half.ACCESS, prefix=grant.prefix, seal=seal),
            access_ends_at=access_ends_at,
            refresh_token=self.mint.token(Half.REFRESH, prefix=grant.prefix, seal=seal),
            # "refresh_token_expire_in is the authorization duration the seller gave": a refresh does not move it.
            refresh_ends_at=grant.ends_at,
        )

    def _access_end(self, app: App, grant: Grant, now: int) -> int:
        end = now + app.access_life
        capped = self.switches.of(switches.ACCESS_TOKEN_NEAR_THE_END) == "capped"
        return min(end, grant.ends_at) if capped else end

    def _punish_reuse(self, app: App, hashed: bytes, *, now: int) -> None:
        reused = codes.spent_before(self.book, sha256=hashed, app_key=app.key)
        if reused and self.switches.of(switches.CODE_REUSE) == "revokes":
            pairs.revoke_consent(self.book, grant_id=reused.grant_id, consent=reused.consent, at=now)
