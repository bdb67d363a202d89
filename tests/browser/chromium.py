"""Debian's Chromium, as every test that drives a real browser starts it."""

from playwright.sync_api import Browser, Playwright

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 20.0
"""Seconds to wait for a page: two cores may be busy with other things."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def launched(playwright: Playwright) -> Browser:
    """A running browser."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
