"""What every browser test may ask for."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from browser.chromium import NO_BROWSER, chromium, left_out
from browser.desk_server import DeskServer, desk_server

expect.set_options(timeout=5_000)


@pytest.fixture
async def server() -> AsyncIterator[DeskServer]:
    async with desk_server() as started:
        yield started


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if left_out():
        pytest.skip(f"{NO_BROWSER} is set: no tests in a browser")
    async with chromium() as started:
        yield started


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page docked beside a CRM. A test fails if the page threw an error or logged one."""
    context = await browser.new_context(viewport={"width": 400, "height": 760}, reduced_motion="reduce")
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    await context.close()
    assert errors == []
