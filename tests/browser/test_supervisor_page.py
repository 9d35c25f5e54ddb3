"""The supervisor's page in a real browser, with real frames."""

import pytest
from playwright.async_api import Page, expect

from browser import scenes
from browser.desk_server import DeskServer, Session
from schemas.base import Contract
from schemas.conversation import Speaker
from schemas.desk_session import Refused
from schemas.guidance import ServiceLevel
from schemas.supervisor_frames import FeedTurn, Unwatch, Watch

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
HOSTILE = '<img src=x onerror="document.title=1">'


async def watching(page: Page, server: DeskServer, *frames: Contract) -> Session:
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto(server.supervisor_page)
    session = await server.session()
    hello = await session.welcome()
    assert (hello.role, hello.agent_id, hello.cursor) == ("supervisor", None, None)
    await session.send(*frames)
    return session


async def names(page: Page) -> list[str]:
    """The customers of the rows, from the top."""
    rows = page.locator("[data-conversation]")
    return await rows.evaluate_all(
        """rows => rows.sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
                       .map(row => row.dataset.conversation)"""
    )


async def test_figures_and_the_wall(page: Page, server: DeskServer) -> None:
    await watching(page, server, scenes.team_wall(), scenes.trends())

    figures = page.locator("#figures .figure")
    await expect(figures).to_have_count(6)
    await expect(figures.locator(".value")).to_have_text(["12", "6.4", "42 %", "184 ms", "200 ms", "all well"])
    await expect(figures.locator("svg")).to_have_count(6)
    first = page.locator("[data-conversation]").first
    await expect(first).to_contain_text("Dana Whitfield")
    await expect(first).to_contain_text("wants to leave")
    await expect(first.get_by_role("meter")).to_have_attribute("aria-valuetext", "high")
    await expect(first.locator("[data-cell=prompt]")).to_contain_text("Loyalty discount")
    await expect(page.locator("#count")).to_have_text("12 conversations live")


async def test_two_thousand_rows_keep_few_nodes_and_reach_the_last(page: Page, server: DeskServer) -> None:
    await watching(page, server, scenes.wall(*scenes.many(2000), live=2345))
    await expect(page.locator("[data-conversation]").first).to_be_visible()

    assert await page.locator("[data-conversation]").count() < 40
    assert await page.locator("body *").count() < 1_500
    await expect(page.locator("#count")).to_have_text("the 2,000 that need somebody most, of 2,345 live")
    await page.locator("[data-conversation]").first.focus()
    await page.keyboard.press("End")
    await expect(page.get_by_text("Customer 1999")).to_be_in_viewport()
    await expect(page.locator("[data-conversation=call-1999]")).to_be_focused()
    await page.locator("#wall .scroll").evaluate("scroll => { scroll.scrollTop = scroll.scrollHeight / 2 }")
    await expect(page.get_by_text("Customer 1000")).to_be_in_viewport()
    assert await page.locator("[data-conversation]").count() < 40


async def test_scrolling_by_a_row_makes_a_row_and_moves_none(page: Page, server: DeskServer) -> None:
    await watching(page, server, scenes.wall(*scenes.many(2000)))
    await expect(page.locator("[data-conversation]").first).to_be_visible()
    scroll = page.locator("#wall .scroll")
    await scroll.evaluate("scroll => { scroll.scrollTop = 52 * 500 }")
    await expect(page.get_by_text("Customer 0500")).to_be_in_viewport()

    added = await scroll.evaluate(
        """scroll => new Promise(resolve => {
             const observer = new MutationObserver(changes =>
               resolve(changes.flatMap(({ addedNodes }) => [...addedNodes].map((row) => row.className))));
             observer.observe(scroll.querySelector('.space'), { childList: true });
             scroll.scrollTop += 52;
           })"""
    )

    assert len(added) == 1


async def test_rows_change_places_but_not_under_the_pointer(page: Page, server: DeskServer) -> None:
    a, b, c = (scenes.row(name, customer_name=name) for name in ("a", "b", "c"))
    session = await watching(page, server, scenes.wall(a, b, c))
    await page.locator("[data-conversation=b]").hover()
    await page.wait_for_timeout(2_100)

    await session.send(scenes.wall(b, c, a))
    await expect(page.locator("[data-conversation=c]")).to_have_attribute("aria-rowindex", "2")
    assert await names(page) == ["c", "b", "a"]
    await session.send(scenes.wall(a, c))
    await page.wait_for_timeout(500)
    assert await names(page) == ["c", "b", "a"]  # two seconds have not passed
    await expect(page.locator("[data-conversation=b]")).to_contain_text("ended")
    await page.mouse.move(5, 5)
    await expect(page.locator("[data-conversation=b]")).to_have_count(0)
    assert await names(page) == ["a", "c"]


async def test_the_focused_row_keeps_its_place_and_the_focus(page: Page, server: DeskServer) -> None:
    a, b, c = (scenes.row(name, customer_name=name) for name in ("a", "b", "c"))
    session = await watching(page, server, scenes.wall(a, b, c))
    await page.locator("[data-conversation=c]").focus()
    await page.wait_for_timeout(2_100)

    await session.send(scenes.wall(c, b, a))

    await expect(page.locator("[data-conversation=b]")).to_have_attribute("aria-rowindex", "2")
    assert await names(page) == ["b", "a", "c"]
    await expect(page.locator("[data-conversation=c]")).to_be_focused()


async def test_the_drawer_shows_what_was_said_and_why(page: Page, server: DeskServer) -> None:
    session = await watching(page, server, scenes.team_wall(), scenes.trends())

    await page.locator("[data-conversation]").first.focus()
    await page.keyboard.press("Enter")
    assert (await session.received(Watch)).conversation_id == scenes.CONVERSATION
    await session.send(scenes.view())

    drawer = page.locator("#drawer")
    await expect(drawer.get_by_role("heading", name="Dana Whitfield")).to_be_focused()
    await expect(drawer.locator(".turn .chip", has_text="wants to leave")).to_be_visible()
    await expect(drawer.locator(".cue").last).to_contain_text(scenes.WORDS)
    await expect(drawer.locator(".journey li")).to_have_count(2)
    won = drawer.locator("[data-action-id=keep_loyalty_discount]")
    await expect(won.locator("td")).to_have_text(["0.41", "1.30", "192", "1.00", "102.3", "72 %"])
    unlikely = drawer.locator("[data-action-id=ask_what_they_pay] td").last
    await expect(unlikely).to_have_text("<1 %")
    await expect(drawer.locator("[data-action-id=say_cooling_off] td").last).to_have_text("–")
    made_with = drawer.locator(".decision > p").first
    await expect(made_with).to_contain_text("control group: one of the eligible at random")
    await expect(made_with).to_contain_text("levers levers@3 · propensities p-91ab")
    await expect(made_with).to_contain_text(f"decision {scenes.decision().decision_id}")
    await expect(won).to_contain_text("won: 102.34 over keep free month 50.16")
    held_back = drawer.locator("[data-action-id=offer_fibre_upgrade]")
    await expect(held_back).to_contain_text("held back: cooling down until 26 Nov 09:12")
    assert await drawer.locator("[data-action-id]").count() == len(scenes.decision().candidates)

    await page.keyboard.press("Escape")
    await session.received(Unwatch)
    await expect(drawer).to_be_hidden()
    await expect(page.locator("[data-conversation]").first).to_be_focused()


async def test_the_drawer_shows_what_is_being_said_and_what_is_understood_of_it_so_far(
    page: Page, server: DeskServer
) -> None:
    session = await watching(page, server, scenes.team_wall())
    await page.locator("[data-conversation]").first.click()
    said = scenes.view().turns
    begun = FeedTurn(
        turn_id="t9", speaker=Speaker.CUSTOMER, text="so how much would it cost to", ended_at=scenes.ago(0),
        intents=("cancellation_terms",), sentiment=None, churn_risk=None, is_final=False,
    )  # fmt: skip
    await session.send(scenes.view(turns=(*said, begun)))

    partial = page.locator("#drawer .turn.partial")
    await expect(partial.locator(".said")).to_have_text("so how much would it cost to …")
    await expect(partial.locator(".chip")).to_have_count(1)

    over = begun.model_copy(update={"is_final": True, "text": "so how much would it cost to leave?"})
    await session.send(scenes.view(turns=(*said, over)))
    await expect(partial).to_have_count(0)
    await expect(page.locator("#drawer .turn .said", has_text="cost to leave?")).to_be_visible()


async def test_a_decision_stays_open_or_closed_as_the_reader_left_it(page: Page, server: DeskServer) -> None:
    session = await watching(page, server, scenes.team_wall())
    await page.locator("[data-conversation]").first.click()
    await session.send(scenes.view())
    await page.locator(".decision > summary").click()
    await expect(page.locator("[data-action-id=keep_free_month]")).to_be_hidden()

    newer = scenes.decision().model_copy(update={"decision_id": "d2", "turn_id": "t6"})
    await session.send(scenes.view(decisions=(newer, scenes.decision())))

    await expect(page.locator(".decision")).to_have_count(2)
    await expect(page.locator(".decision").first).to_have_attribute("open", "")
    await expect(page.locator(".decision").last).not_to_have_attribute("open", "")


async def test_a_watched_conversation_is_watched_again_after_a_lost_line(page: Page, server: DeskServer) -> None:
    session = await watching(page, server, scenes.team_wall())
    await page.locator("[data-conversation]").first.click()
    await session.received(Watch)

    await session.drop()
    await expect(page.locator("#notice")).to_contain_text("Reconnecting. What you see is from")
    again = await server.session()
    await again.welcome()

    assert (await again.received(Watch)).conversation_id == scenes.CONVERSATION
    await expect(page.locator("#notice")).to_be_hidden()


async def test_a_conversation_that_is_gone_says_so_in_the_drawer(page: Page, server: DeskServer) -> None:
    session = await watching(page, server, scenes.team_wall())
    await page.locator("[data-conversation]").first.click()
    await session.received(Watch)

    await session.send(Refused(code="unknown_conversation", message="This conversation is over.", closes=False))

    await expect(page.locator("#drawer")).to_contain_text("This conversation is over.")


async def test_a_spike_is_marked_and_named_and_every_chart_has_its_table(page: Page, server: DeskServer) -> None:
    session = await watching(page, server, scenes.team_wall(), scenes.trends())

    spike = page.locator(".multiple[data-spike]")
    await expect(spike).to_have_count(1)
    await expect(spike).to_contain_text("something is broken")
    await expect(spike).to_contain_text("spike, 80 in 5 min")
    await page.get_by_role("button", name="Table", exact=True).click()
    await expect(page.locator("#table tbody tr")).to_have_count(len(scenes.trends().trends))
    await page.get_by_role("button", name="Close").click()
    await page.keyboard.press("t")
    await expect(page.locator("#table tbody tr")).to_have_count(60)
    await expect(page.locator("#table tbody tr").first.locator("td").first).to_have_text("12")
    await page.get_by_role("button", name="Close").click()
    await page.locator("[data-conversation]").first.click()
    await session.received(Watch)
    await session.send(scenes.view())
    await page.get_by_role("button", name="Mood as a table").click()
    await expect(page.locator("#table tbody tr")).to_have_count(3)


async def test_a_degraded_engine_is_said_in_words(page: Page, server: DeskServer) -> None:
    session = await watching(page, server, scenes.team_wall())

    figures = scenes.figures(service_level=ServiceLevel.RULES_ONLY)
    await session.send(scenes.team_wall().model_copy(update={"figures": figures}))

    await expect(page.locator("[data-figure=service_level] .value")).to_have_text("rules only")
    await expect(page.locator("#notice")).to_contain_text("the model does not answer in time")


async def test_no_conversations_is_a_state_of_its_own(page: Page, server: DeskServer) -> None:
    session = await watching(page, server)
    await expect(page.locator("#wall")).to_contain_text("The first figures come within seconds.")

    await session.send(scenes.wall())

    await expect(page.locator("#wall")).to_contain_text("No live conversations.")


async def test_hostile_text_stays_text(page: Page, server: DeskServer) -> None:
    row = scenes.row(customer_name=HOSTILE, intents=(HOSTILE,), need_why=HOSTILE, agent_id=HOSTILE)
    session = await watching(page, server, scenes.wall(row))
    await page.locator("[data-conversation]").click()
    await session.received(Watch)

    await session.send(scenes.view(row=row, journey=(HOSTILE,)))

    await expect(page.locator("#drawer h2")).to_have_text(HOSTILE)
    await expect(page.locator(".journey li")).to_have_text(HOSTILE)
    assert await page.locator("body :is(img, script)").count() == 0


async def test_without_a_token_it_says_so(page: Page, server: DeskServer) -> None:
    await page.goto(f"{server.origin}/supervisor")

    await expect(page.locator("#notice")).to_contain_text("This address has no token")
