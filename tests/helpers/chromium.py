"""A real browser for tests: Debian's Chromium without a window, driven by selenium."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Callable, Iterator, List, Optional

try:
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.chrome.webdriver import WebDriver as Chrome
    from selenium.webdriver.support.expected_conditions import alert_is_present
    from selenium.webdriver.support.wait import WebDriverWait
except ImportError:
    SELENIUM = False
else:
    SELENIUM = True

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

#: Seconds that a page, a script or a click may take on a loaded machine.
TIMEOUT = 90.0

FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def _found(*names: str) -> Optional[str]:
    return next(filter(None, map(shutil.which, names)), None)


BROWSER = _found("chromium", "chromium-browser", "google-chrome")
DRIVER = _found("chromedriver")


def missing() -> Optional[str]:
    """Why there is no browser, for ``pytest.mark.skipif``; None when there is one."""
    if not SELENIUM:
        return "needs selenium"
    if BROWSER is None or DRIVER is None:
        return "needs Debian's chromium and chromium-driver"
    return None


@contextmanager
def chromium() -> Iterator[WebDriver]:
    """A browser that nobody has used before; it ends with the block, and leaves nothing."""
    assert BROWSER is not None and DRIVER is not None, missing()
    with TemporaryDirectory(prefix="keyyo-chromium-") as place:
        options = _options(BROWSER, os.path.join(place, "profile"))
        # Both paths are given, so that Selenium Manager looks for nothing and downloads nothing.
        # What the two programs forget in their temporary directory goes with the place.
        service = Service(executable_path=DRIVER, env={**os.environ, "TMPDIR": place})
        driver = Chrome(options=options, service=service)
        try:
            driver.set_page_load_timeout(TIMEOUT)
            driver.set_script_timeout(TIMEOUT)
            yield driver
        finally:
            driver.quit()


def _options(browser: str, profile: str) -> Options:
    options = Options()
    options.binary_location = browser
    for flag in (*FLAGS, *_sandbox(), f"--user-data-dir={profile}"):
        options.add_argument(flag)
    return options


def _sandbox() -> List[str]:
    # Chromium refuses to sandbox what root runs.
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def wait(driver: WebDriver, until: Callable[[WebDriver], bool], what: str) -> None:
    """Wait for something that the browser has to do, and fail when it does not."""
    WebDriverWait(driver, TIMEOUT).until(until, f"waited in vain for {what}")


def click(driver: WebDriver, label: str) -> None:
    """Click the one button of a page that is labelled so."""
    [button] = [each for each in driver.find_elements("tag name", "button") if each.text == label]
    button.click()


def texts(driver: WebDriver, selector: str) -> List[str]:
    """What a person reads in the elements that a CSS selector finds."""
    return [element.text for element in driver.find_elements("css selector", selector)]


def has_alert(driver: WebDriver) -> bool:
    """Whether the page has opened a dialogue."""
    return bool(alert_is_present()(driver))
