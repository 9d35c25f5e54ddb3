"""The browser of the browser tests: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

NO_BROWSER = "LIVECUE_NO_BROWSER"
_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",  # as root, and in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A running Chromium.

    Raises:
        FileNotFoundError: there is none on this machine; the message says how to install it.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise FileNotFoundError(
            "The browser tests need Chromium: install it (Debian: sudo apt-get install chromium), "
            f"or leave them out: {NO_BROWSER}=1"
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


def left_out() -> bool:
    """Whether whoever runs the tests wants none in a browser."""
    return bool(os.environ.get(NO_BROWSER))
