"""What came of it: the question on the agent's page, answered, waved away, left alone."""

import asyncio

import pytest
from playwright.async_api import FloatRect, Page, expect

from browser import scenes
from browser.desk_server import DeskServer, Session
from schemas.agent_frames import OfferAnswer, WrappedUp, WrapUpReport
from schemas.outcomes import Disposition

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def over(page: Page, server: DeskServer, *questions: object) -> Session:
    """The page after a call that has ended with a question."""
    await page.clock.install()
    await page.goto(server.agent_page())
    session = await server.session()
    await session.welcome(heartbeat_s=3600)
    await session.reset()
    await session.records(*scenes.call(), *(questions or (scenes.asked(),)), scenes.closed())
    await expect(page.locator("#ask")).to_be_visible()
    return session


async def test_a_tap_a_row_answers_it_and_it_is_gone(page: Page, server: DeskServer) -> None:
    session = await over(page, server)

    await expect(page.locator("#ask h2")).to_have_text("Did Dana say yes?")
    await page.get_by_role("group", name="Loyalty discount").get_by_role("button", name="Yes").click()
    await expect(page.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="Solved", exact=True).click()

    answer = await session.received(WrapUpReport)
    assert answer.ask_id == "asked-1"
    assert answer.offers == (OfferAnswer(prompt_id="p1", result="accepted"),)
    assert answer.disposition is Disposition.SOLVED
    await expect(page.locator("#ask")).to_be_hidden()


async def test_it_is_answered_by_keys_alone(page: Page, server: DeskServer) -> None:
    session = await over(page, server)

    await page.keyboard.press("e")
    await expect(page.get_by_role("button", name="Yes")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="No", exact=True)).to_be_focused()
    for _ in range(3):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    answer = await session.received(WrapUpReport)
    assert (answer.offers[0].result, answer.disposition) == ("declined", Disposition.UNSOLVED)


async def test_part_of_an_answer_is_an_answer(page: Page, server: DeskServer) -> None:
    session = await over(page, server)

    await page.get_by_role("button", name="To follow up").click()
    await page.get_by_role("button", name="Done").click()

    answer = await session.received(WrapUpReport)
    assert (answer.offers, answer.disposition) == ((), Disposition.FOLLOW_UP)


@pytest.mark.parametrize("by", ["click", "key"])
async def test_it_can_be_waved_away(page: Page, server: DeskServer, by: str) -> None:
    session = await over(page, server)

    await page.get_by_role("button", name="Open").click()
    await (page.get_by_role("button", name="Skip").click() if by == "click" else page.keyboard.press("Escape"))

    answer = await session.received(WrapUpReport)
    assert (answer.offers, answer.disposition) == ((), None)
    await expect(page.locator("#ask")).to_be_hidden()


async def test_left_alone_it_goes_by_itself(page: Page, server: DeskServer) -> None:
    session = await over(page, server)

    await page.clock.run_for(55_000)
    await expect(page.locator("#ask")).to_be_visible()
    await page.clock.run_for(8_000)
    await expect(page.locator("#ask")).to_be_hidden()
    assert (await session.received(WrapUpReport)).offers == ()


async def test_it_waits_while_the_agent_is_at_it(page: Page, server: DeskServer) -> None:
    await over(page, server)

    await page.keyboard.press("e")
    await page.clock.run_for(90_000)

    await expect(page.locator("#ask")).to_be_visible()


async def test_one_question_at_a_time_and_none_that_is_too_late(page: Page, server: DeskServer) -> None:
    late = scenes.asked(record_id="asked-0", customer_name="Late Comer", until=scenes.ago(1))
    second = scenes.asked(record_id="asked-2", customer_name="Owen Price", ask_disposition=False)
    session = await over(page, server, late, scenes.asked(), second)

    await expect(page.locator("#ask h2")).to_have_text("Did Dana say yes?")
    await page.get_by_role("button", name="Skip").click()
    await expect(page.locator("#ask h2")).to_have_text("Did Owen say yes?")
    await page.get_by_role("button", name="Open").click()

    assert [(await session.received(WrapUpReport)).ask_id for _ in range(2)] == ["asked-1", "asked-2"]


async def test_an_answer_is_sent_again_until_it_is_stored(page: Page, server: DeskServer) -> None:
    session = await over(page, server)
    await page.get_by_role("button", name="Skip").click()
    await session.received(WrapUpReport)

    await session.drop()
    again = await server.session()
    await again.welcome(resumed=True, heartbeat_s=3600)
    assert (await again.received(WrapUpReport)).ask_id == "asked-1"

    await again.send(WrappedUp(ask_id="asked-1"))
    async with asyncio.timeout(5):
        while "wrap_up" in await page.evaluate("sessionStorage.getItem('livecue.outcomes.ada')"):
            await asyncio.sleep(0.05)


async def test_the_card_above_does_not_move_and_what_is_said_is_not_covered(page: Page, server: DeskServer) -> None:
    await page.goto(server.agent_page())
    session = await server.session()
    await session.welcome()
    await session.reset()
    other = scenes.opened("call-2", customer_name="Owen Price")
    await session.records(*scenes.call(), other, scenes.issued(scenes.prompt()))
    await expect(page.locator("#card .words")).to_be_visible()
    before = await box(page, "#card")

    await session.records(scenes.asked(record_id="asked-9", conversation_id="call-2"))
    await expect(page.locator("#ask")).to_be_visible()

    assert await box(page, "#card") == before
    assert (await box(page, "#ask"))["y"] >= before["y"] + before["height"]
    await expect(page.locator("#transcript")).to_be_in_viewport()


async def box(page: Page, selector: str) -> FloatRect:
    found = await page.locator(selector).bounding_box()
    assert found is not None
    return found
