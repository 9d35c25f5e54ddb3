"""One customer over all channels, on a real Kafka: what was said and offered elsewhere counts here."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from faults.independent import out_of_order
from faults.journeys import Floor, Talk, ago, open_floor
from schemas.conversation import Channel, Speaker

pytestmark = [pytest.mark.broker, pytest.mark.faults]


@pytest.fixture(scope="module")
def floor(kafka, tmp_path_factory) -> Iterator[Floor]:
    with open_floor(kafka, tmp_path_factory.mktemp("floor")) as opened:
        yield opened


def test_an_offer_refused_in_chat_is_not_made_on_the_phone(floor) -> None:
    customer = f"dana-{floor.run}"
    chat = floor.talk("refusing", Channel.CHAT, customer).start()
    assert floor.fate(chat.hear("cancel_service"), "keep")[0] == "won"
    chat.hear("makes_offer", speaker=Speaker.AGENT)
    chat.hear("declines_offer")
    chat.end()

    call = floor.talk("calling", Channel.VOICE, customer, agent_id="ben").start()
    fate, reason = floor.fate(call.hear("cancel_service"), "keep")
    assert (fate, reason.partition(",")[0]) == ("suppressed", "refused on chat")


def test_an_offer_that_was_mailed_is_honoured_in_the_call_until_it_is_taken(floor) -> None:
    """It is worth less than the other, and was put to the customer lately: still it is what they may count on."""
    customer = f"eve-{floor.run}"
    mailed = {"action_id": "mailed_discount", "at": ago(48), "event_id": f"{customer}-mailed"}
    floor.happens(customer, "offer.made", Channel.MAIL, **mailed)
    floor.happens(customer, "offer.made", Channel.MAIL, **mailed)
    floor.flush()
    other = floor.talk("uninvited", Channel.VOICE, f"fay-{floor.run}").start()
    assert floor.fate(other.hear("competitor_mention"), "match_price")[0] == "won"

    call = floor.talk("invited", Channel.VOICE, customer).start()
    wish = call.hear("competitor_mention")
    assert [each["action_id"] for each in floor.decision(wish)["prompts"]] == ["mailed_discount"]
    assert floor.fate(wish, "match_price") == ("suppressed", "mailed offer mailed_discount stands")
    call.hear("makes_offer", speaker=Speaker.AGENT)
    call.hear("accepts_offer")
    call.end()
    again = floor.talk("again", Channel.CHAT, customer).start().hear("competitor_mention")
    assert floor.fate(again, "match_price")[0] == "won"
    assert floor.fate(again, "mailed_discount")[1].startswith("cooling down")


def test_the_third_contact_is_recognised(floor) -> None:
    customer = f"gus-{floor.run}"
    floor.happens(customer, "selfservice.failed", Channel.SELF_SERVICE, at=ago(3))
    chat = floor.talk("second", Channel.CHAT, customer).start()
    assert floor.fate(chat.hear("technical_problem"), "own_it")[0] == "not_triggered"
    chat.end()

    call = floor.talk("third", Channel.VOICE, customer).start()
    decision = floor.decision(call.hear("technical_problem"))
    (prompt,) = decision["prompts"]
    assert (prompt["action_id"], prompt["why"]) == ("own_it", ["third contact in two weeks"])
    opened = [
        each for each in floor.seen.on_desk("conversation.opened") if each["conversation_id"] == call.conversation_id
    ]
    assert opened[-1]["journey"] == ["chat 0 min ago, unsolved", "self service 3 h ago, unsolved"]


def _chats(floor: Floor, conversations: int) -> list[Talk]:
    return [
        floor.talk(f"chat{number}", Channel.CHAT, None, f"agent{number % 4}").start() for number in range(conversations)
    ]


def _prompted(floor: Floor, action_id: str) -> dict[str, dict]:
    """By conversation, the first prompt of that action."""
    found: dict[str, dict] = {}
    for each in floor.seen.on_desk("prompt"):
        if each["prompt"]["action_id"] == action_id:
            found.setdefault(each["conversation_id"], each["prompt"])
    return found


def _hand_over(floor: Floor, chats: list[Talk], rounds: int, kills: dict[int, int]) -> dict[str, int]:
    """All chats at once: somebody wants to leave, the prompt is dismissed, another is made; they log in while turns
    keep coming and workers are killed (`kills`: by round, which); they end.

    Returns:
        Where each turn stands in the order of sending.
    """
    order: dict[str, int] = {}

    def say(chat: Talk, *fired: str, speaker: Speaker = Speaker.CUSTOMER) -> None:
        order[chat.hear(*fired, speaker=speaker)] = len(order)

    names = {chat.conversation_id for chat in chats}
    for chat in chats:
        say(chat, "cancel_service")
    floor.flush()
    floor.wait(lambda: names <= _prompted(floor, "keep").keys())
    for prompt in _prompted(floor, "keep").values():
        if prompt["conversation_id"] in names:
            floor.dismiss(prompt)
    floor.flush()
    floor.wait(lambda: names <= {each["conversation_id"] for each in floor.seen.on_desk("prompt.ended")})
    for chat in chats:
        say(chat, "price_complaint")
    floor.flush()
    floor.wait(lambda: names <= _prompted(floor, "review").keys())
    for number in range(rounds):
        if number in kills:
            worker = floor.workers[kills[number]]
            worker.process.kill()
            worker.process.wait()
            worker.start()
        time.sleep(0.4)
        for place, chat in enumerate(chats):
            if number == place % 5:
                chat.identify(f"customer-of-{chat.conversation_id}")
            say(chat, "cancel_service" if number % 2 else "price_complaint")
            say(chat, speaker=Speaker.AGENT)
    for chat in chats:
        chat.end()
    floor.flush()
    return order


def _count(floor: Floor, chats: list[Talk], order: dict[str, int]) -> dict:
    """What the independent client has seen once all has come, or nothing more does."""
    names = {chat.conversation_id for chat in chats}

    def of(records: list[dict]) -> list[dict]:
        return [each for each in list(records) if each["conversation_id"] in names]

    def closed() -> list[dict]:
        return of(floor.seen.on_desk("conversation.closed"))

    def undecided() -> set[str]:
        return order.keys() - {each["turn_id"] for each in of(floor.seen.decided)}

    with contextlib.suppress(AssertionError):  # what is missing then is counted as missing
        floor.wait(lambda: len(closed()) >= len(chats) and not undecided(), within_s=60)
    decisions_a_turn = Counter(each["turn_id"] for each in of(floor.seen.decided))
    return {
        "turns": len(order),
        "undecided": len(undecided()),
        "decided_twice": sum(times > 1 for times in decisions_a_turn.values()),
        "on_desks": len({each["turn_id"] for each in of(floor.seen.on_desks)}),
        "out_of_order": [out_of_order(of(each), order) for each in (floor.seen.decided, floor.seen.on_desks)],
        "changed_bytes": len(floor.seen.changed_bytes()),
        "closed": dict(Counter(each["reason"] for each in closed())),
        "repeated": floor.seen.repeated,
    }


def _assert_whole(floor: Floor, chats: list[Talk], result: dict) -> None:
    """Nothing lost, doubled or reordered; after the login what was dismissed and prompted before it still counts."""
    print(result)
    assert 0 == result["undecided"] == result["decided_twice"] == result["changed_bytes"]
    assert [0, 0] == result["out_of_order"]
    assert result["turns"] == result["on_desks"]
    assert {"ended": len(chats)} == result["closed"]
    decided = {each["turn_id"]: each for each in floor.seen.decided}
    for chat in chats:
        decisions = [decided[turn_id] for turn_id in chat.turns]
        assert {each["route_key"] for each in decisions} == {chat.route_key}
        known = [each for each in decisions if each["customer_id"] is not None]
        assert not any(each["prompts"] for each in known)
        why = {
            action_id: {c["reason"] for each in known for c in each["candidates"] if c["action_id"] == action_id}
            for action_id in ("keep", "review")
        }
        assert why["keep"] == {"dismissed 1× within 7 days", "nothing said calls for it"}
        assert all(
            each.startswith(("cooling down", "prompted", "on the desk", "nothing said")) for each in why["review"]
        )


@pytest.mark.timeout(180)
def test_a_chat_is_handed_over_after_login_while_a_worker_is_killed(kafka, tmp_path) -> None:
    with open_floor(kafka, tmp_path, workers=2) as floor:
        chats = _chats(floor, 20)
        order = _hand_over(floor, chats, rounds=8, kills={3: 0})
        _assert_whole(floor, chats, _count(floor, chats, order))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_hundred_chats_are_handed_over_while_workers_are_killed(kafka, tmp_path) -> None:
    with open_floor(kafka, tmp_path, workers=3) as floor:
        chats = _chats(floor, 200)
        order = _hand_over(floor, chats, rounds=14, kills={2: 0, 5: 1, 9: 2})
        _assert_whole(floor, chats, _count(floor, chats, order))
