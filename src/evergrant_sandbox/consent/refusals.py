"""Why a seller cannot go on, in the platform's words where they are known, and what to do about it."""

from evergrant_sandbox import switches
from evergrant_sandbox.pages.browser import SignedIn
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.eligibility import Hindrance
from evergrant_sandbox.world.seller import Kind

# The words of a way on, and its path.
WayOn = tuple[str, str]

# "error code 105004" is a title of the FAQ index beside the texts below; that it belongs to them is inferred.
NOT_ALLOWED = "105004"
ACCOUNT_REGION = "No authorization permission for your account region"
_INACTIVE = (
    "auth state is inactive; detail:Your seller account is yet to finish the onboarding review or your account is not"
    " allowed to authorize this APP due to our region restriction."
)
_KINDS = {Kind.LOCAL: "local sellers", Kind.CROSS_BORDER: "cross-border sellers"}


def unknown_service() -> RefusedError:
    """The link names nothing the platform knows."""
    return RefusedError(
        "unknown_service",
        "The service does not exist",
        "The link names no service the platform knows. A service_id is not an app key: look at the id under the app's"
        " name in Partner Center.",
        status=404,
    )


def app_key_as_service(app: App) -> RefusedError:
    """Somebody put the app key where the service_id belongs, "a page saying the service does not exist"."""
    return RefusedError(
        "unknown_service",
        "The service does not exist",
        f"What the link has as its service_id is the app key of {app.name}. A service_id is a number of its own: look at"
        " the id under the app's name in Partner Center.",
        status=404,
    )


def other_portal(app: App) -> RefusedError:
    """The United States and the rest of the world have portals, apps and keys of their own."""
    return RefusedError(
        "wrong_market_link",
        "The service does not exist",
        f"{app.name} is not known at this address. The United States and the rest of the world have authorization links"
        " of their own: ask the app for the link of your market.",
        status=404,
    )


def over() -> RefusedError:
    """The walk is finished, was left too long, or belongs to another browser."""
    return RefusedError(
        "authorization_over",
        "This authorization is over",
        "It was finished, left too long, or begun in another browser. Open the app's authorization link again.",
        status=404,
    )


def another_region(path: str) -> WayOn:
    """A way on for whoever clicked the wrong "Next"."""
    return "Choose another region", path


def switch_account(path: str) -> WayOn:
    """A way on for whoever is signed in with the wrong account: log in again, and come back."""
    return "Switch account", f"/seller/login?next={path}"


def hindered(why: Hindrance, app: App, positions: Switches, *, way_on: WayOn | None = None) -> RefusedError:
    """The app is not for this seller."""
    if why is Hindrance.REGION:
        return _region(app, positions, way_on)
    if why is Hindrance.SELLER_TYPE:
        kinds = " and ".join(_KINDS[kind] for kind in app.seller_types)
        return RefusedError(
            NOT_ALLOWED,
            "No permission",
            f"{app.name} is made for {kinds} only. Ask its maker for an app for sellers like you.",
            way_on=way_on,
        )
    if why is Hindrance.DEACTIVATED:
        return RefusedError(
            "app_deactivated",
            "This app was deactivated",
            f"{app.name} was deactivated by its developer for good. It cannot be authorized any more; look for another app"
            " in the App store.",
        )
    if why is Hindrance.NO_REDIRECT_URL:
        return RefusedError(
            "api_not_enabled",
            "This app cannot be authorized yet",
            f"{app.name} has no Redirect URL, so there is nowhere to send you afterwards. Its developer has to enable the"
            " API in Partner Center first.",
        )
    return RefusedError(
        "app_in_development",
        "This app cannot be authorized yet",
        f"{app.name} is still in development. It can be authorized by Seller Center test accounts only, not by online"
        " sellers.",
        way_on=way_on,
    )


def wrong_region(chosen: str, who: SignedIn, *, region_path: str) -> RefusedError:
    """The seller clicked "Next" under a region that is not the account's."""
    return RefusedError(
        NOT_ALLOWED,
        ACCOUNT_REGION,
        f"You chose {chosen}, but {who.seller.name} does not sell there. Choose the region your shop is registered in, or"
        " sign in with an account of that region.",
        way_on=another_region(region_path),
    )


def beta_full(app: App) -> RefusedError:
    """A connector that is not approved has all the sellers it may have."""
    return RefusedError(
        "beta_full",
        "This app cannot take on another seller yet",
        f"{app.name} is a connector that is not approved, and has all the authorizations it may have until then. Ask its"
        " developer to have it reviewed.",
    )


def not_the_owner(who: SignedIn, *, path: str) -> RefusedError:
    """A sub-account is signed in; the path is where the owner can go on."""
    return RefusedError(
        "not_the_owner",
        "Only the shop owner can authorize apps",
        f"You are signed in as {who.account.email}, which is not the account that created the shop. Sign out, sign back"
        " in as the owner, and open the page again.",
        way_on=switch_account(path),
    )


def _region(app: App, positions: Switches, way_on: WayOn | None) -> RefusedError:
    position = positions.of(switches.REGION_REFUSAL)
    advice = f"{app.name} is made for another market. Ask its maker for the app of yours."
    if position == "auth_state_inactive":
        sentence = f"Error code {NOT_ALLOWED}: {_INACTIVE} {advice}"
        return RefusedError(NOT_ALLOWED, "This account cannot authorize the app", sentence, way_on=way_on)
    title = ACCOUNT_REGION if position == "account_region" else "No permission"
    return RefusedError(NOT_ALLOWED, title, advice, way_on=way_on)
