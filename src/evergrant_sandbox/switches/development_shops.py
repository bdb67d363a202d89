"""What is unknown about test accounts."""

from evergrant_sandbox.switches.switch import Known, switch

EXPIRED_TEST_ACCOUNT = switch(
    "expired_test_account",
    Known.UNKNOWN,
    "What becomes of the tokens of a test account that has expired, until it is reactivated; nobody signs in either way.",
    {
        "deauthorized": "105001 from the API (see deauthorized_code), `can not find related auth record` from the token host",
        "expired": "105002 from the API, `rt has expired` from the token host",
        "unaffected": "they go on",
    },
)
