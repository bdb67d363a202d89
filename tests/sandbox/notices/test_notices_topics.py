"""The table of topics: numbers, names and which of them the Event API knows (wire sheet 4.5)."""

from evergrant_sandbox.openapi.document import document
from evergrant_sandbox.world.app import DEFAULT_TOPICS
from evergrant_sandbox.world.topics import EVENT_TYPES, TOPICS, Owner, Topic, Weight, name_of


def test_the_event_api_knows_seventeen_strings() -> None:
    """Those that have a name in capitals, and no other."""
    assert 17 == len(EVENT_TYPES)
    assert {facts.name for facts in TOPICS.values() if facts.event_type} == set(EVENT_TYPES)
    described = document()["paths"]["/event/202309/webhooks"]["delete"]["requestBody"]["content"]["application/json"]
    assert set(described["schema"]["properties"]["event_type"]["enum"]) == set(EVENT_TYPES)
    assert (6, 7, 2) == tuple(
        EVENT_TYPES[name]
        for name in ("SELLER_DEAUTHORIZATION", "UPCOMING_AUTHORIZATION_EXPIRATION", "REVERSE_STATUS_UPDATE")
    )


def test_every_topic_of_the_sheet_is_there_and_the_gaps_are_gaps() -> None:
    """45 numbers; 8 to 10, 26, 28 and so on nobody has explained."""
    assert 45 == len(TOPICS)
    assert set() == set(TOPICS) & {8, 9, 10, 26, 28, 29, 30, 31, 32}
    assert [6, 5] == [TOPICS[n].number for n in (Topic.SELLER_DEAUTHORIZATION, Topic.PRODUCT_STATUS_CHANGE)]
    assert set(Topic) | set(DEFAULT_TOPICS) <= set(TOPICS)


def test_a_topic_says_how_well_it_is_attested_and_whom_it_is_about() -> None:
    """The creator's and the seller's open_id stand in place of the shop's id for some."""
    assert Weight.OFFICIAL is TOPICS[6].weight
    assert Weight.ENUM is TOPICS[2].weight
    assert Weight.DERIVED is TOPICS[71].weight
    assert {20: Owner.CREATOR, 21: Owner.SELLER, 35: Owner.SELLER, 7: Owner.SHOP} == {
        number: TOPICS[number].owner for number in (20, 21, 35, 7)
    }


def test_a_number_without_a_name_is_called_by_its_number() -> None:
    """A page that lists notices must not fail on one that was sent by hand."""
    assert ("SELLER_DEAUTHORIZATION", "9999") == (name_of(6), name_of(9999))
