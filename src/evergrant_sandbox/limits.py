"""What the sandbox does not imitate and what loopback forces, as the Limits page and docs/sandbox/limits.md tell it.

What is unknown about the platform stands in `switches/`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """One difference between here and home."""

    name: str
    sentence: str


NOT_IMITATED = (
    Limit(
        "App review",
        "One verdict covers enrollment, app, listing, data security and beta test. What each of them looks at beyond the criteria on the app's Review page is not known.",
    ),
    Limit(
        "A listing in review again",
        "While an edit of a live listing is reviewed, the app is offered to nobody. Whether the old listing stays up meanwhile is not documented.",
    ),
    Limit(
        "A custom app with 25 authorizations",
        "Its page asks for a review. Nothing happens to one that is never submitted; what would is not documented.",
    ),
    Limit(
        "Beta test of connectors",
        "Until it is approved, only test accounts authorize a connector, up to the switch `connector_beta`.",
    ),
    Limit(
        "A deactivated app's authorizations",
        "They are left as they are, though nothing can be done with them. What becomes of them at home is not documented.",
    ),
    Limit(
        "Scope applications",
        "Custom scopes are granted as soon as they are chosen. Which scopes are public is not documented; here the four most used.",
    ),
    Limit("App logos", "An app has no picture, only its first letter."),
    Limit(
        "Seller Center",
        "Orders, products, users, App store, and My apps and incidents are there. Finance, marketing, messages, returns,"
        " logistics and the making of products are not.",
    ),
    Limit(
        "Roles",
        "Only that the owner alone may authorize apps is documented. All other roles of sub-accounts, and what they may"
        " see and do, are made up.",
    ),
    Limit(
        "Languages",
        "Seller Center speaks English in every market; labels in other languages are written down nowhere.",
    ),
    Limit(
        "Seller onboarding",
        "Every seller has passed it, unless a control route sets another standing, which the API minds and the link does not."
        " The message `auth state is inactive` is shown to sellers of another market only.",
    ),
    Limit(
        "Region of the app",
        "An app whose market is ALL, as the seeded one's, may be authorized everywhere; the platform wants one app per market"
        " group. A cross-border seller's consent covers all shops, also those outside the app's market.",
    ),
    Limit("App store", "Names, descriptions and a search. Categories, prices, ratings and pictures are not acted out."),
    Limit(
        "Discard in an App store install",
        "It leads to the Redirect URL as it does behind the link, without a state; nobody recorded it.",
    ),
    Limit(
        "Renew dialog",
        "It ends with its own button, as Pipe17 tells it; the second page of other guides is not shown. Options besides"
        " Re-authorize only are unknown, so there are none.",
    ),
    Limit(
        "Incidents",
        "The platform's closed list of reasons is not public: codes and words are ours, and only what the sandbox sees by"
        " itself is an incident.",
    ),
    Limit(
        "Rate limits",
        "Off by default, because the newest source gives no number; the switch `rate_limit` brings back that of 2025.",
    ),
    Limit("Messages of the API host", "In the documents' words, or close to them. Match on code and keyword."),
    Limit("Other endpoints", "Finance, fulfillment, returns and others answer 36009009."),
    Limit(
        "Stock of a variant",
        "Which mistakes refuse the whole update and which only one variant is documented by one sample;"
        " the rest is a guess.",
    ),
    Limit(
        "Filters without anything to find",
        "No product here has a draft, a listing quality tier or a subscription, and none is on Tokopedia.",
    ),
    Limit("Uploaded images", "They are looked at, not kept; uri, url and measures are made up."),
    Limit(
        "Scope of two endpoints",
        "`/seller/202508/status` and the widget tokens take any living token, because no source names their scope.",
    ),
    Limit(
        "Legacy shop_id",
        "Where the platform minds it is not recorded; here it is refused if it is not one of the token's shops.",
    ),
    Limit(
        "Other notices",
        "Types 1, 3, 4, 5, 6, 7, 11, 12, 15, 16, 27 and 37 are sent by what happens in the world; any other by a control route.",
    ),
    Limit(
        "Default topics",
        "Which topics Partner Center subscribes an app to is not documented; here they are 1, 6 and 7.",
    ),
    Limit(
        "A shop's webhooks",
        "They outlive its authorization, so that notice 6 still reaches them; nobody recorded whether they do.",
    ),
    Limit(
        "Packages, returns and refunds",
        "A split, a returned order or a cancellation sends its notice; parcels, returns and refunds go no further.",
    ),
    Limit(
        "Low stock",
        "Notice 27 is sent when stock falls to 0 or to 5, an alert value of the sandbox; nothing is predicted.",
    ),
    Limit(
        "Reasons in notice 5",
        "`suspended_reason` is a sentence of the sandbox; the wording of the platform is not known.",
    ),
    Limit(
        "Kinds of test accounts",
        "Full Function accounts count as verified at once, and there are no buyer test accounts: test orders stand in for"
        " purchases. The choices of Onboarding type are not documented; those here describe and change nothing.",
    ),
    Limit(
        "Test accounts by steering",
        "A seller made by a control route with `test` belongs to nobody's Development Shops and never expires.",
    ),
    Limit(
        "Tokens from Development Shops",
        "A generated token counts as a new authorization of 365 days with all scopes of the app; the platform does not say.",
    ),
    Limit("E-mail to the seller", "The platform mails sellers on several occasions; nothing is mailed here."),
    Limit("Token propagation", "A renewal takes effect at once; at home it may take a few minutes."),
    Limit("Creators and partners", "Only sellers authorize; user_type 1 and 3 do not occur."),
    Limit("Passwords", "They are kept readable, so that they can be shown. Do not use a real one."),
    Limit(
        "Refusals of the token host",
        "What it says to a wrong key, secret or grant type is unknown; 36009004 is a guess.",
    ),
    Limit(
        "Codes of an earlier consent", "A new consent voids the unused code of the one before; nobody recorded this."
    ),
    Limit("Access after the end", "An access token stops with the authorization and then answers 105002; a guess."),
    Limit(
        "Grants shorter than 30 days",
        "Their first notice 7 comes at the next 0:00; the documents speak of longer ones.",
    ),
    Limit("Faults", "They are held in memory and end with the process; everything else survives it."),
    Limit(
        "Delay of a notice by a fault",
        "It counts real seconds: a turn of the clock and a reset wait for it. A notice that is held keeps nobody waiting.",
    ),
    Limit(
        "Old tokens in the control room",
        "Of an authorization with more than 1000 pairs, only tokens of the newest 1000 are recognised in the log.",
    ),
    Limit("Ends of tokens", "They are not listed among what falls due; each authorization's page shows its own."),
)

FORCED_BY_LOOPBACK = (
    Limit(
        "One address",
        "All of TikTok's hosts are one base address and the path decides which one is meant, unless `--hosts` serves their names.",
    ),
    Limit(
        "Paths of nobody's",
        "By a real name a path that is not the host's gives 404 as text, at the API host 36009009. Only the token host's"
        " text was ever recorded.",
    ),
    Limit(
        "Plain http",
        "The platform is https only; so are its names under `--hosts`. The base address needs no certificate.",
    ),
    Limit(
        "Webhook URLs", "Loopback addresses may be http, with a port and an IP address; all others follow the platform."
    ),
    Limit("Cookies", "Without https they cannot be Secure."),
    Limit(
        "Marked tokens",
        "Tokens, codes and ciphers carry `sbx` after the region's prefix, so that production refuses them.",
    ),
    Limit("A turned clock", "`timestamp` is checked against the sandbox's clock, which may be months ahead of yours."),
    Limit(
        "Turning the clock",
        "A receiver that is silent three times in a row during one turn is not asked again in that turn; its attempts are"
        " logged as assumed_silent. So two years with a thousand grants take seconds, not hours.",
    ),
)
