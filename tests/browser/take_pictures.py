"""Take pictures of both pages in every state worth looking at: `python tests/browser/take_pictures.py FOLDER`.

With `--readme FILE` it takes the README's picture instead: the agent's page beside the supervisor's.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser, Page, expect

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from browser import scenes
from browser.chromium import chromium
from browser.desk_server import DeskServer, Session, desk_server
from schemas.desktop import Watch

AGENT = {"width": 400, "height": 760}
SUPERVISOR = {"width": 1280, "height": 800}
SCHEMES = ("light", "dark")


async def agent_page(browser: Browser, server: DeskServer, scheme: str, prompt: bool) -> tuple[Page, Session]:
    page = await browser.new_page(viewport=AGENT, color_scheme=scheme)
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
    page = await browser.new_page(viewport=SUPERVISOR, color_scheme=scheme)
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
        page, _ = await agent_page(browser, server, scheme, prompt=False)
        await page.screenshot(path=folder / f"agent-quiet-{scheme}.png")
        await page.close()
        page, session = await supervisor_page(browser, server, scheme)
        await page.screenshot(path=folder / f"supervisor-{scheme}.png")
        await open_drawer(page, session)
        await page.screenshot(path=folder / f"supervisor-drawer-{scheme}.png")
        await page.close()


async def take_readme(browser: Browser, server: DeskServer, file: Path) -> None:
    """Both pages in one picture: each is photographed, and a page of the two is photographed in turn."""
    agent, _ = await agent_page(browser, server, "light", prompt=True)
    supervisor, session = await supervisor_page(browser, server, "light")
    await open_drawer(supervisor, session)
    shots = {"agent": await agent.screenshot(), "supervisor": await supervisor.screenshot()}
    page = await browser.new_page(viewport={"width": 1776, "height": 864})
    for name, shot in shots.items():
        await page.route(f"**/{name}.png", lambda route, shot=shot: route.fulfill(body=shot, content_type="image/png"))
    await page.goto(f"{server.origin}/static/icon.svg")  # an address that the two pictures can be fetched beside
    frame = "border:1px solid #dde1e6;border-radius:6px;box-shadow:0 4px 16px rgb(24 28 32/8%)"
    await page.set_content(
        '<body style="margin:32px;display:flex;gap:32px;align-items:center;background:#e6e9ed">'
        f'<img src="{server.origin}/agent.png" style="{frame}"><img src="{server.origin}/supervisor.png" style="{frame}">'
    )
    await page.wait_for_load_state("networkidle")
    file.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=file)


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
