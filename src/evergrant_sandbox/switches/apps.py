"""What is disputed about apps and their review."""

from evergrant_sandbox.switches.switch import Known, switch

SECRET_ROTATION = switch(
    "secret_rotation",
    Known.UNKNOWN,
    "What becomes of the old App Secret when a new one is made; no source says.",
    {
        "old_dies_at_once": "only the new one is taken",
        "old_valid_24h": "both are taken for a day; notices are signed with the new one",
    },
)
REVIEW_TAKES = switch(
    "review_takes",
    Known.UNKNOWN,
    "How long a review takes; no source has a figure.",
    {
        "by_hand": "until somebody rules on it, in the control room or by a control route",
        "at_once": "an app that meets the criteria is approved when it is submitted",
    },
)
CONNECTOR_BETA = switch(
    "connector_beta",
    Known.DISPUTED,
    "How many authorizations a connector may have until it is approved.",
    {"10": "ten, as the documentation says", "25": "twenty-five, as a reader of 2026 says"},
)
