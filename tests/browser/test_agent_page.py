"""The agent's page in a real browser, with real frames: what is shown, what is answered, what survives."""

import pytest
from playwright.async_api import Page, expect

from browser import scenes
from browser.desk_server import DeskServer, Session
from schemas.agent_frames import Ack, OutcomeReport
from schemas.conversation import Speaker
from schemas.desk_session import Refused
from schemas.guidance import PromptState
from schemas.outcomes import DismissReason
from schemas.outcomes import outcome_id_of as outcome_id

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


async def on_call(page: Page, server: DeskServer) -> Session:
    """The page in the middle of a call, no prompt live."""
    await page.goto(server.agent_page())
    session = await server.session()
    await session.welcome()
    await session.reset()
    await session.records(*scenes.call())
    await expect(page.get_by_text("my neighbour pays half")).to_be_visible()
    return session


async def cued(page: Page, server: DeskServer) -> Session:
    session = await on_call(page, server)
    await session.records(scenes.issued(scenes.prompt()))
    await expect(page.locator("#card .words")).to_have_text(f"“{scenes.WORDS}”")
    return session


async def answer(session: Session) -> OutcomeReport:
    """The next outcome that is an answer."""
    while (report := await session.received(OutcomeReport)).state is PromptState.SHOWN:
        pass
    return report


async def acknowledge(session: Session, report: OutcomeReport) -> None:
    frame = Ack(outcome_id=outcome_id(report.prompt_id, report.state), prompt_id=report.prompt_id, state=report.state)
    await session.send(frame)


async def waiting(page: Page) -> str | None:
    return await page.evaluate("sessionStorage.getItem('livecue.outcomes.ada')")


async def test_hello_names_the_desk_and_keeps_the_token_out_of_the_query(page: Page, server: DeskServer) -> None:
    await page.goto(server.agent_page())

    hello = await (await server.session()).welcome()

    assert (hello.role, hello.agent_id, hello.token, hello.cursor) == ("agent", "ada", "t0ken", None)


async def test_a_prompt_shows_its_words_its_steps_and_why(page: Page, server: DeskServer) -> None:
    session = await cued(page, server)

    card = page.locator("#card")
    await expect(card.locator(".kind")).to_have_text("retention")
    await expect(card.locator(".steps li")).to_have_count(2)
    await expect(card.locator(".why")).to_have_text("why: wants to leave · price · 6 yrs a customer")
    await expect(page.locator("#announce-prompt")).to_contain_text(scenes.WORDS)
    shown = {(await session.received(OutcomeReport)).prompt_id for _ in range(2)}
    assert "p1" in shown | {(await session.received(OutcomeReport)).prompt_id}


async def test_a_step_is_ticked_off_by_hearing_it(page: Page, server: DeskServer) -> None:
    session = await cued(page, server)

    said = scenes.turn("There is a cooling off of thirty days, by the way.", "t6", speaker=Speaker.AGENT)
    await session.records(said)

    await expect(page.get_by_label("mention the 30-day cooling-off")).to_be_checked()
    await expect(page.get_by_label("ask whether £24 would keep them")).not_to_be_checked()


@pytest.mark.parametrize("by", ["click", "key"])
async def test_accept_is_sent_and_kept_until_it_is_acknowledged(page: Page, server: DeskServer, by: str) -> None:
    session = await cued(page, server)

    await (page.get_by_role("button", name="Accept").click() if by == "click" else page.keyboard.press("a"))

    report = await answer(session)
    assert (report.prompt_id, report.state) == ("p1", PromptState.ACCEPTED)
    assert '"p1:accepted"' in (await waiting(page) or "")
    await acknowledge(session, report)
    await page.wait_for_function("!sessionStorage.getItem('livecue.outcomes.ada').includes('p1:accepted')")


async def test_an_answer_without_an_acknowledgement_is_sent_again_after_a_reload(
    page: Page, server: DeskServer
) -> None:
    session = await cued(page, server)
    await page.keyboard.press("a")
    await answer(session)

    await page.reload()
    again = await server.session()
    await again.welcome()

    assert (await answer(again)).state is PromptState.ACCEPTED


async def test_dismissing_asks_what_was_wrong_in_one_tap(page: Page, server: DeskServer) -> None:
    session = await cued(page, server)

    await page.keyboard.press("w")
    await page.get_by_role("button", name="Already said").click()

    report = await answer(session)
    assert (report.state, report.reason) == (PromptState.DISMISSED, DismissReason.ALREADY_SAID)
    await expect(page.locator("#card .words")).to_have_count(0)


async def test_not_now_is_one_key(page: Page, server: DeskServer) -> None:
    session = await cued(page, server)

    await page.keyboard.press("n")

    assert (await answer(session)).reason is DismissReason.NOT_NOW


async def test_shortcuts_are_off_while_typing(page: Page, server: DeskServer) -> None:
    session = await cued(page, server)
    await page.keyboard.press("w")
    await page.keyboard.press("5")
    await expect(page.get_by_label("What was wrong?")).to_be_focused()

    await page.keyboard.type("a nan wanna 1")
    await page.keyboard.press("Enter")

    report = await answer(session)
    assert (report.state, report.reason, report.note) == (PromptState.DISMISSED, DismissReason.OTHER, "a nan wanna 1")


async def test_a_retraction_says_why_and_leaves_at_the_same_height(page: Page, server: DeskServer) -> None:
    session = await cued(page, server)
    before = await page.locator("#card").bounding_box()

    await session.records(scenes.over(scenes.prompt(), PromptState.RETRACTED, "she said no"))

    await expect(page.locator("#card .ending")).to_have_text("Taken back: she said no")
    await expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    await expect(page.locator("#card .words")).to_have_count(0, timeout=6_000)
    await expect(page.locator("#card")).to_contain_text("Nothing needs saying now.")
    assert await page.locator("#card").bounding_box() == before


async def test_an_expired_prompt_cannot_be_accepted(page: Page, server: DeskServer) -> None:
    session = await on_call(page, server)

    await session.records(scenes.issued(scenes.prompt(expires_at=scenes.ago(-1.5))))

    await expect(page.get_by_role("button", name="Accept")).to_be_visible()
    await expect(page.locator("#card .ending")).to_have_text("Too late now")
    await expect(page.get_by_role("button", name="Accept")).to_have_count(0)


async def test_after_a_lost_line_it_resumes_with_its_cursor_and_drops_what_it_has_seen(
    page: Page, server: DeskServer
) -> None:
    session = await cued(page, server)
    before = await page.locator("#card").bounding_box()
    records = [*scenes.call(), scenes.issued(scenes.prompt())]

    await session.drop()
    await expect(page.locator("#connection")).to_have_text("reconnecting")
    await expect(page.locator("#notice")).to_have_text("Reconnecting, 1 prompt may be late.")
    assert await page.locator("#card").bounding_box() == before
    again = await server.session()
    hello = await again.welcome(resumed=True)
    missed = scenes.turn("Are you still there?", "t6", seconds_ago=2)
    await again.records(records[-1], missed)

    assert hello.cursor == f"cursor-{len(records)}"
    await expect(page.locator("#connection")).to_have_text("live")
    await expect(page.get_by_text("while you were reconnecting")).to_be_visible()
    await expect(page.get_by_text("Are you still there?")).to_have_count(1)
    await expect(page.locator(".cue .words-said")).to_have_count(1)


async def test_an_answer_given_without_a_line_is_sent_on_the_next(page: Page, server: DeskServer) -> None:
    session = await cued(page, server)
    await session.drop()
    await expect(page.locator("#connection")).to_have_text("reconnecting")

    await page.keyboard.press("a")

    await expect(page.locator("#notice")).to_contain_text("1 answer of yours will be sent")
    again = await server.session()
    await again.welcome(resumed=True)
    assert (await answer(again)).state is PromptState.ACCEPTED


async def test_a_reset_in_the_middle_of_a_call_shows_its_transcript_and_its_prompt(
    page: Page, server: DeskServer
) -> None:
    await page.goto(server.agent_page())
    session = await server.session()
    await session.welcome()

    live = scenes.prompt()
    await session.reset(scenes.replay([*scenes.call(), scenes.issued(live)], live=live))

    await expect(page.locator("#card .words")).to_have_text(f"“{scenes.WORDS}”")
    await expect(page.locator("#title")).to_have_text("Call with Dana W.")
    await expect(page.locator(".turn")).to_have_count(5)
    await expect(page.locator(".turn .chip", has_text="wants to leave")).to_be_visible()
    await expect(page.locator("#journey")).to_contain_text("chat 2 h ago, unsolved")


async def test_compliance_is_ticked_off_beside_the_prompt(page: Page, server: DeskServer) -> None:
    await cued(page, server)

    items = page.locator("#must-say .item")

    await expect(items).to_have_text(["recording ✓", "identity"])


async def test_hostile_text_stays_text(page: Page, server: DeskServer) -> None:
    session = await on_call(page, server)

    await session.records(
        scenes.opened("call-2", customer_name=HOSTILE, journey=(HOSTILE,)),
        scenes.turn(HOSTILE, "t7", HOSTILE),
        scenes.issued(scenes.prompt(words=HOSTILE, title=HOSTILE, why=(HOSTILE,), steps=(HOSTILE,))),
    )

    await expect(page.locator("#card .words")).to_have_text(f"“{HOSTILE}”")
    await expect(page.locator(".turn .said").last).to_have_text(HOSTILE)
    assert await page.locator("body :is(img, script)").count() == 0
    assert await page.title() == "(1) Livecue"


async def test_a_second_conversation_gets_a_tab_and_takes_nothing_over(page: Page, server: DeskServer) -> None:
    session = await on_call(page, server)
    other = scenes.prompt("p2", conversation_id="chat-2", words="Shall I check the order?")

    await session.records(scenes.opened("chat-2", customer_name="Li Wei", channel="chat"), scenes.issued(other))

    tab = page.get_by_role("tab", name="Li W.")
    await expect(tab).to_contain_text("needs an answer")
    await expect(page.locator("#title")).to_have_text("Call with Dana W.")
    await page.keyboard.press("j")
    await expect(page.locator("#card .words")).to_have_text("“Shall I check the order?”")


async def test_a_refusal_says_what_it_means_and_does_not_try_again(page: Page, server: DeskServer) -> None:
    await page.goto(server.agent_page())
    session = await server.session()
    message = "This link is not for ada's desk. Ask for a new one."

    await session.send(Refused(code="rights", message=message, closes=True))

    await expect(page.locator("#connection")).to_have_text("not connected")
    await expect(page.locator("#notice")).to_have_text(message)
    with pytest.raises(TimeoutError):
        await server.session(within_s=1.5)


async def test_without_a_conversation_it_says_what_will_come(page: Page, server: DeskServer) -> None:
    await page.goto(server.agent_page())
    session = await server.session()
    await session.welcome()

    await session.reset()

    await expect(page.locator("#card")).to_have_text("When a conversation is yours, what to say will stand here.")


async def test_without_a_token_it_says_so(page: Page, server: DeskServer) -> None:
    await page.goto(f"{server.origin}/agent?agent=ada")

    await expect(page.locator("#notice")).to_contain_text("This address has no token")


async def test_the_door_passes_the_token_on(page: Page, server: DeskServer) -> None:
    await page.goto(f"{server.origin}/?agent=ada#token=t0ken")

    await page.get_by_role("link", name="Agent").click()

    assert (await (await server.session()).welcome()).agent_id == "ada"
