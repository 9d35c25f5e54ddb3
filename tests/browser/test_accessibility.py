"""What both pages promise to those who cannot see well, or use no mouse: contrast, names, focus, announcements."""

import pytest
from playwright.async_api import Browser, Page, expect

from browser.desk_server import DeskServer
from browser.take_pictures import SCHEMES, agent_page, open_drawer, supervisor_page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
LEAST_CONTRAST = 4.5

FAINT_TEXT = """(least) => {
  const rgba = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const over = (top, bottom) => top.rgb.map((channel, i) => channel * top.a + bottom[i] * (1 - top.a));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const own = rgba(getComputedStyle(element).backgroundColor);
    if (own.a === 1) return own.rgb;
    return over(own, element.parentElement ? ground(element.parentElement) : [255, 255, 255]);
  };
  const opacity = (element) => (element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1);
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest(".unseen, script, noscript")) continue;
    seen += 1;
    const behind = ground(element);
    const ink = rgba(getComputedStyle(element).color);
    const drawn = over({ ...ink, a: ink.a * opacity(element) }, behind);
    const [light, dark] = [luminance(drawn), luminance(behind)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < least) faint.push(`${contrast.toFixed(2)} ${texts.currentNode.data.trim()}`);
  }
  return { seen, faint };
}"""

NAMELESS = """() => [...document.querySelectorAll("button, input, a, [role=tab], [tabindex]")]
  .filter((control) => control.checkVisibility())
  .filter((control) => !(control.getAttribute("aria-label") || control.labels?.length || control.textContent.trim()))
  .map((control) => control.outerHTML)"""


async def readable(page: Page) -> None:
    """Every text that is drawn now stands out, and every control says what it is."""
    texts = await page.evaluate(FAINT_TEXT, LEAST_CONTRAST)
    assert texts["seen"] > 10
    assert [] == texts["faint"]
    assert [] == await page.evaluate(NAMELESS)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_agents_page_is_readable_in_every_state(browser: Browser, server: DeskServer, scheme: str) -> None:
    page, session = await agent_page(browser, server, scheme, prompt=True)
    await readable(page)
    await page.keyboard.press("w")
    await readable(page)
    await page.keyboard.press("Escape")
    await page.locator("#must-say [aria-expanded]").click()
    await session.drop()
    await expect(page.locator("#notice")).to_contain_text("Reconnecting")
    await readable(page)
    await page.close()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_supervisors_page_is_readable(browser: Browser, server: DeskServer, scheme: str) -> None:
    page, session = await supervisor_page(browser, server, scheme)
    await readable(page)
    await open_drawer(page, session)
    await readable(page)
    await page.close()


async def test_every_answer_is_reached_by_tab_and_the_focus_is_seen(browser: Browser, server: DeskServer) -> None:
    page, _ = await agent_page(browser, server, "light", prompt=True)
    reached = set()
    for _ in range(12):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(
            """() => { const { activeElement: at } = document;
                       return { action: at.dataset.action, ring: getComputedStyle(at).outlineStyle }; }"""
        )
        if focused["action"]:
            reached.add(focused["action"])
            assert "solid" == focused["ring"]
    assert {"accept", "not-now", "reasons"} <= reached
    await page.close()


async def test_a_prompt_is_announced_once_and_the_rest_politely(browser: Browser, server: DeskServer) -> None:
    page, _ = await agent_page(browser, server, "light", prompt=True)
    announced = page.locator("[aria-live=assertive]")
    await expect(announced).to_have_count(1)
    words = (await page.locator("#card .words").inner_text()).strip("“”")
    await expect(announced).to_contain_text(words)
    await page.evaluate(
        """() => { window.announcements = 0;
                   new MutationObserver((changes) => { window.announcements += changes.length; })
                     .observe(document.querySelector("[aria-live=assertive]"),
                              { childList: true, characterData: true, subtree: true }); }"""
    )
    await page.wait_for_timeout(2_500)  # two ticks redraw the card
    assert 0 == await page.evaluate("window.announcements")
    await page.close()
