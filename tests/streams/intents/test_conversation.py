"""The conversation table's fold."""

import pytest

from builders import started, turn
from schemas.conversation import Channel, ConversationIdentified, ConversationTransferred, Speaker, known_customer
from streams.intents.conversation import Conversation, fold_lifecycle, fold_turn

EVENT = {"event_id": "e2", "conversation_id": "c1", "at": started().at}


def test_a_known_customer_is_the_route_key() -> None:
    assert "dana" == fold_lifecycle(None, started()).route_key


@pytest.mark.parametrize("placeholder", [None, "unknown", "UNKNOWN", "0", " n/a ", "Anonymous"])
def test_a_placeholder_is_an_anonymous_customer(placeholder) -> None:
    conversation = fold_lifecycle(None, started(customer_id=placeholder))

    assert ("c1", None) == (conversation.route_key, conversation.customer_id)


def test_identification_never_changes_the_route_key() -> None:
    anonymous = fold_lifecycle(None, started(customer_id=None))

    known = fold_lifecycle(anonymous, ConversationIdentified(customer_id="dana", **EVENT))

    assert ("c1", "dana") == (known.route_key, known.customer_id)


def test_a_second_start_does_not_change_the_route_key_either() -> None:
    unannounced, _ = fold_turn(None, turn())

    assert "c1" == fold_lifecycle(unannounced, started(channel=Channel.CHAT)).route_key


def test_a_transfer_names_the_agent_who_has_it_now() -> None:
    transferred = fold_lifecycle(
        fold_lifecycle(None, started()), ConversationTransferred(agent_id="ben", team="retention", **EVENT)
    )

    assert ("ben", "retention") == (transferred.agent_id, transferred.team)


def test_private_numbers_leave_the_turn_before_it_goes_anywhere() -> None:
    _, redacted = fold_turn(None, turn("my card is 4111 1111 1111 1111"))

    assert "4111" not in redacted.text
    assert "[CARD]" in redacted.text


def test_a_number_split_over_two_turns_does_not_get_through() -> None:
    first, _ = fold_turn(None, turn("the card is 4111 1111", "t1"))
    asked, _ = fold_turn(first, turn("and the rest?", "t2", speaker=Speaker.AGENT))

    _, second = fold_turn(asked, turn("1111 1111", "t3"))

    assert "1111" not in second.text


def test_a_row_survives_its_table() -> None:
    conversation, _ = fold_turn(fold_lifecycle(None, started()), turn("the card is 4111 1111"))

    assert conversation == Conversation.model_validate_json(conversation.model_dump_json())


def test_known_customer_keeps_real_ids() -> None:
    assert "00123" == known_customer("00123")
