"""What every browser test may ask for."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from browser.chromium import NO_BROWSER, chromium, left_out
from browser.desk_server import DeskServer, desk_server

expect.set_options(timeout=5_000)


# One browser for the whole run: starting it takes longer than a test. What talks to it runs in the run's event loop.


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[DeskServer]:
    async with desk_server() as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if left_out():
        pytest.skip(f"{NO_BROWSER} is set: no tests in a browser")
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page docked beside a CRM. A test fails if the page threw an error or logged one."""
    context = await browser.new_context(viewport={"width": 400, "height": 760}, reduced_motion="reduce")
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    await context.close()
    assert errors == []
