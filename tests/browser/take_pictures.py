"""Take pictures of both pages in their states: `PYTHONPATH=tests python -m browser.take_pictures FOLDER`.

With `--readme FILE` it takes the README's picture instead: the agent's page beside the supervisor's.
"""

import argparse
import asyncio
from base64 import b64encode
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from browser import scenes
from browser.chromium import chromium
from browser.desk_server import DeskServer, Session, desk_server
from schemas.supervisor_frames import Watch

AGENT = {"width": 400, "height": 760}
SUPERVISOR = {"width": 1280, "height": 800}
SCHEMES = ("light", "dark")


async def agent_page(browser: Browser, server: DeskServer, scheme: str, prompt: bool) -> tuple[Page, Session]:
    page = await browser.new_page(viewport=AGENT, color_scheme=scheme, locale="en-GB")
    await page.goto(server.agent_page())
    session = await server.session()
    await session.welcome()
    await session.reset()
    await session.records(*scenes.call())
    if prompt:
        await session.records(scenes.issued(scenes.prompt()))
    await expect(page.locator(".words" if prompt else ".understood dl")).to_be_visible()
    await page.wait_for_timeout(300)
    return page, session


async def supervisor_page(browser: Browser, server: DeskServer, scheme: str) -> tuple[Page, Session]:
    page = await browser.new_page(viewport=SUPERVISOR, color_scheme=scheme, locale="en-GB")
    await page.goto(server.supervisor_page)
    session = await server.session()
    await session.welcome()
    await session.send(scenes.team_wall(), scenes.trends())
    await expect(page.locator("[data-conversation]").first).to_be_visible()
    await page.wait_for_timeout(200)
    return page, session


async def open_drawer(page: Page, session: Session) -> None:
    await page.locator("[data-conversation]").first.click()
    await session.received(Watch)
    await session.send(scenes.view())
    await expect(page.locator("table.why").first).to_be_visible()
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(200)


async def take_all(browser: Browser, server: DeskServer, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in SCHEMES:
        page, session = await agent_page(browser, server, scheme, prompt=True)
        await page.screenshot(path=folder / f"agent-prompt-{scheme}.png")
        await page.keyboard.press("w")
        await page.screenshot(path=folder / f"agent-reasons-{scheme}.png")
        await page.keyboard.press("Escape")
        await session.drop()
        await expect(page.locator("#notice")).to_contain_text("Reconnecting")
        await page.screenshot(path=folder / f"agent-reconnecting-{scheme}.png")
        await page.close()
        page, session = await agent_page(browser, server, scheme, prompt=False)
        await session.records(scenes.asked(), scenes.closed())
        await expect(page.locator("#ask")).to_be_visible()
        await page.screenshot(path=folder / f"agent-ask-{scheme}.png")
        await page.close()
        page, _ = await agent_page(browser, server, scheme, prompt=False)
        await page.screenshot(path=folder / f"agent-quiet-{scheme}.png")
        await page.close()
        page, session = await supervisor_page(browser, server, scheme)
        await page.screenshot(path=folder / f"supervisor-{scheme}.png")
        await open_drawer(page, session)
        await page.screenshot(path=folder / f"supervisor-drawer-{scheme}.png")
        await page.close()


async def take_readme(browser: Browser, server: DeskServer, file: Path) -> None:
    """Both pages in one picture: each is photographed, and a page of the two photographs in turn."""
    agent, _ = await agent_page(browser, server, "light", prompt=True)
    supervisor, session = await supervisor_page(browser, server, "light")
    await supervisor.set_viewport_size({"width": SUPERVISOR["width"], "height": AGENT["height"]})
    await open_drawer(supervisor, session)
    page = await browser.new_page(viewport={"width": 1776, "height": 824})
    await page.set_content(
        "<style>body{margin:32px;display:flex;gap:32px;background:#e4e7eb}img{border-radius:6px}</style>"
        f"<img src={_inline(await agent.screenshot())}><img src={_inline(await supervisor.screenshot())}>"
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=file)


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".livecue/pictures"))
    parser.add_argument("--readme", type=Path)
    wanted = parser.parse_args()
    async with chromium() as browser, desk_server() as server:
        if wanted.readme:
            await take_readme(browser, server, wanted.readme)
        else:
            await take_all(browser, server, wanted.folder)


if __name__ == "__main__":
    asyncio.run(main())
