"""What is disputed about a grant."""

from evergrant_sandbox.switches.switch import Known, switch

OPEN_ID_PER = switch(
    "open_id_per",
    Known.UNKNOWN,
    "What an open_id identifies for one app.",
    {"seller": "the seller: two shops of one seller share it", "grant": "the authorization: each has its own"},
)
END_AFTER_RECONSENT = switch(
    "end_after_reconsent",
    Known.UNKNOWN,
    "Where a consent puts the end of an authorization that is still running.",
    {
        "from_consent": "at the moment of consent plus the chosen period",
        "added": "at the old end plus the chosen period",
        "unchanged": "where it was, as two weak samples suggest",
    },
)
NEW_SCOPES_BY_LINK = switch(
    "new_scopes_by_link",
    Known.DISPUTED,
    "Whether a renewal through the app's own link brings scopes the app asked for since.",
    {"carried": "yes, as the documentation reads", "kept_back": "no, as one production case saw"},
)
OLD_PAIR_AFTER_RECONSENT = switch(
    "old_pair_after_reconsent",
    Known.UNKNOWN,
    "What becomes of the pair at hand when the seller consents again.",
    {
        "refused_at_exchange": "it lives until the new code is exchanged",
        "refused_at_consent": "it dies when the seller consents",
        "kept": "it lives on beside the new one",
    },
)
