"""What is disputed about notices."""

from evergrant_sandbox.switches.switch import Known, switch

NOTICE_AT_EXPIRY = switch(
    "notice_at_expiry",
    Known.UNKNOWN,
    "Whether the natural end of an authorization sends notice 6.",
    {"off": "nothing is sent", "on": "notice 6 at the end"},
)
NOTICE_ON_DEVELOPER_REVOKE = switch(
    "notice_on_developer_revoke",
    Known.UNKNOWN,
    "Whether the developer's own revoke sends notice 6.",
    {"on": "notice 6", "off": "nothing is sent"},
)
NOTICE_ON_DEACTIVATION = switch(
    "notice_on_deactivation",
    Known.UNKNOWN,
    "Whether an authorization the platform deactivates sends notice 6.",
    {"on": "notice 6", "off": "nothing is sent"},
)
DAILY_WARNING_ZONE = switch(
    "daily_warning_zone",
    Known.UNKNOWN,
    'The zone of "daily at 0:00" in notice 7.',
    {"UTC": "UTC", "UTC+8": "eight hours ahead of UTC", "UTC-8": "eight hours behind UTC"},
)
SHOP_WEBHOOK = switch(
    "shop_webhook",
    Known.UNKNOWN,
    "Whether an address the Event API has set for a shop and a topic replaces the app-wide webhook URL or adds to it.",
    {"replaces": "the shop's address only", "adds": "both, under the same notification id"},
)
PRODUCT_ID_IN_NOTICE = switch(
    "product_id_in_notice",
    Known.DISPUTED,
    "How notices 5, 16 and 37 write `product_id`; the samples of their pages have a number, those of 15 and 27 a string.",
    {"number": "a number", "string": "a string"},
)
BODY_OF_ANSWER_TO_NOTICE = switch(
    "body_of_answer_to_notice",
    Known.UNKNOWN,
    'What an answer 200 with a body is; the page asks for "200" with a body "NULL / empty".',
    {"ignored": "delivered", "retried": "tried again"},
)
ANSWER_401_TO_NOTICE = switch(
    "answer_401_to_notice",
    Known.DISPUTED,
    'Whether a 401 ends the attempts; the page calls it an "acceptable response" and says no more.',
    {"accepted": "delivered", "retried": "tried again"},
)
