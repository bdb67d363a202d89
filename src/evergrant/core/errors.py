"""Every way Evergrant says no, each with its stable code. Statuses are known only to web/problems.py.

An error has four voices: its class is for programs in this process, `code` for programs elsewhere, the sentence for
people (it says what to do), and `__cause__` for whoever debugs.
"""

from datetime import timedelta
from typing import ClassVar


class EvergrantError(Exception):
    """Something went wrong on our side. It was recorded; try again, and tell support the request id if it stays."""

    code: ClassVar[str] = "internal_error"
    """Stands in answers and in the X-Error-Code header of pages, and never changes its meaning."""

    @property
    def sentence(self) -> str:
        """What a person is told: the sentence given where it was raised, else what the class says."""
        return str(self) or " ".join((self.__doc__ or "").split())


class LinkError(EvergrantError):
    """A hosted link, or the way back from the platform, cannot be used."""

    session_id = ""
    """The link session whose outcome says the same from now on; empty where none is known."""


class LinkUnknownError(LinkError):
    """There is no such link. Ask whoever sent it for a new one."""

    code = "link_unknown"


class LinkExpiredError(LinkError):
    """This link has expired. Ask whoever sent it for a new one."""

    code = "link_expired"


class LinkUsedError(LinkError):
    """This link has been used. There is nothing left to do, unless you were asked again: then use the newer link."""

    code = "link_already_used"


class LinkRevokedError(LinkError):
    """This link was withdrawn by its sender. Ask them for a new one."""

    code = "link_revoked"


class StateMissingError(LinkError):
    """TikTok sent you back without saying where you started. Start again from your dashboard or the link you were sent."""

    code = "state_missing"


class StateUnknownError(LinkError):
    """This return does not belong to anything started here. Start again from your dashboard or the link you were sent."""

    code = "state_unknown"


class StateUsedError(LinkError):
    """This return was handled already. Close this window and look at your dashboard."""

    code = "state_already_used"


class StateExpiredError(LinkError):
    """The authorization took longer than ten minutes, so it was set aside for safety. Start again."""

    code = "state_expired"


class TooManyArrivalsError(LinkError):
    """More people are coming back from TikTok just now than can be let in. Nothing is lost: load this page again in a minute."""

    code = "too_many_arrivals"


class BrowserMismatchError(LinkError):
    """The authorization began in another browser. Finish it there, or start again here."""

    code = "state_browser_mismatch"


class AppMismatchError(LinkError):
    """This return belongs to another app. Start again from your dashboard or the link you were sent."""

    code = "app_mismatch"


class CodeMissingError(LinkError):
    """TikTok sent you back without an authorization code. Start again."""

    code = "code_missing"


class AuthorizationRefusedError(LinkError):
    """The authorization was discarded on TikTok's page, so nothing was changed. Start again whenever you like."""

    code = "authorization_refused"


class CodeRefusedError(LinkError):
    """TikTok did not accept the authorization code. Codes work once, for 30 minutes: start again."""

    code = "code_refused"


class WrongShopError(LinkError):
    """Another shop was authorized than the one this link is for. Start again, and choose the right one under "Target shop"."""

    code = "wrong_shop"


class WrongUserTypeError(LinkError):
    """The authorization was not given by a seller account. Sign in to Seller Center as the shop's owner and start again."""

    code = "wrong_user_type"


class WrongRegionError(LinkError):
    """The authorized shop sells in another region than this app is for. Ask whoever sent the link for one that fits."""

    code = "wrong_region"


class ShopAlreadyConnectedError(LinkError):
    """This shop is connected already, under another customer. Ask your vendor which connection should stay."""

    code = "shop_already_connected"


class NoShopsError(LinkError):
    """The authorization covers no shop, so there is nothing to connect. Check the shop in Seller Center and start again."""

    code = "no_shops"


class ShopsNotReadableError(LinkError):
    """The consent does not let us see which shop it is for. Start again, and leave every permission switched on."""

    code = "shops_not_readable"


class ConsentOvertakenError(LinkError):
    """A newer authorization of this shop is in place already. There is nothing left to do."""

    code = "consent_overtaken"


class ExchangeOutcomeLostError(LinkError):
    """The answer to the authorization code was lost on its way. Start again; nothing half-done is left behind."""

    code = "exchange_outcome_lost"


class PlatformError(EvergrantError):
    """The platform could not be used just now; nothing is lost."""


class PlatformUnavailableError(PlatformError):
    """TikTok cannot be reached just now. Nothing is lost: try again in a moment."""

    code = "platform_unavailable"


class PlatformBadResponseError(PlatformError):
    """TikTok answered with something that cannot be read. Nothing is lost: try again in a moment."""

    code = "platform_bad_response"


class PlatformThrottledError(PlatformError):
    """TikTok asks us to wait. Try again in a moment."""

    code = "platform_throttled"


class AppCredentialsError(PlatformError):
    """TikTok does not accept this app's key or secret. The vendor has to correct them; sellers need to do nothing."""

    code = "app_credentials_invalid"


class SandboxTokenError(PlatformError):
    """A token of the sandbox was shown to a production app. Check the base URLs of the app."""

    code = "sandbox_token_in_production"


class NotFoundError(EvergrantError):
    """There is nothing here under that name."""

    code = "not_found"


class InvalidRequestError(EvergrantError):
    """The request cannot be understood."""

    code = "invalid_request"


class ConflictError(EvergrantError):
    """What was asked does not fit what is there."""

    code = "conflict"


class IdempotencyInProgressError(EvergrantError):
    """A call with this Idempotency-Key is under way. Ask again in a moment: you are told what it was told."""

    code = "idempotency_in_progress"


class IdempotencyKeyReusedError(EvergrantError):
    """This Idempotency-Key was given with another request. Use a new key for each thing you want done."""

    code = "idempotency_key_reused"


class NoticeSignatureError(EvergrantError):
    """The signature of the notice is not the platform's."""

    code = "signature_invalid"


class VaultIntegrityError(EvergrantError):
    """A sealed value does not open where it stands: it was moved, changed, or sealed with a key that is gone."""

    code = "vault_integrity"


class DatabaseUnavailableError(EvergrantError):
    """The database cannot be reached just now. Nothing is lost: try again in a moment."""

    code = "database_unavailable"


class AuditUnavailableError(EvergrantError):
    """The audit record cannot be written, so nothing is released. Try again in a moment."""

    code = "audit_unavailable"


class TokenBeingRefreshedError(EvergrantError):
    """The token is being refreshed. Try again in a moment."""

    code = "token_being_refreshed"


class PathRefusedError(EvergrantError):
    """Only the platform's API can be called from here: /{package}/{version}/…, in plain letters, digits and ids."""

    code = "path_refused"


class PaceExceededError(EvergrantError):
    """TikTok is being called for this shop, or this workspace, as fast as it may be. Nothing was sent; call again after `Retry-After`."""

    code = "shop_pace_exceeded"

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.seconds = max(1, -(-wait // timedelta(seconds=1)))


class CallOutcomeUnknownError(EvergrantError):
    """TikTok's answer to this call was lost, so whether it did what was asked is not known. Look there before you ask again."""

    code = "call_outcome_unknown"


class FlowShutError(ConflictError):
    """Nothing can be synced while the flow is paused."""

    code = "flow_paused"


class ClaimError(EvergrantError):
    """An authorization that waits for an owner cannot be claimed."""


class ClaimTakenError(ClaimError):
    """This authorization has been claimed already. Look at your dashboard: its shop is there."""

    code = "claim_taken"


class ClaimExpiredError(ClaimError):
    """Nobody claimed this authorization in time, so it was destroyed. Ask the seller to authorize again."""

    code = "claim_expired"


class ClaimDismissedError(ClaimError):
    """Somebody dismissed this authorization, and it was destroyed. Ask the seller to authorize again."""

    code = "claim_dismissed"


class ClaimElsewhereError(ClaimError):
    """This authorization belongs to another workspace than yours. Log in to the right one, then open this page again."""

    code = "claim_other_workspace"


class ClaimTokenMissingError(ClaimError):
    """Only who brings the seller can claim: send the `claim_token` with which the seller came to your claim_url."""

    code = "claim_token_missing"


class ClaimTokenWrongError(ClaimError):
    """This claim_token does not belong to this claim. Send the one with which the seller came to your claim_url."""

    code = "claim_token_wrong"


class TooManyTriesError(EvergrantError):
    """Too many wrong passwords were tried. Wait a minute, then try once more."""

    code = "too_many_tries"

    def __init__(self, seconds: int = 60) -> None:
        super().__init__(
            f"Too many wrong passwords were tried. Wait {seconds} second{'s' if seconds > 1 else ''}, then try once more."
        )
        self.seconds = seconds


class PasswordsBusyError(EvergrantError):
    """Too many people are logging in just now. Try again in a few seconds."""

    code = "passwords_busy"
