"""A real Chromium with the report of a demo set in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--report", type=Path, required=True, help="the HTML report of a demo set")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
    driver.set_page_load_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    report: Path = request.config.getoption("--report")
    return report.resolve().as_uri()


@pytest.fixture
def page(chromium: Chrome, address: str) -> Chrome:
    """The report, opened afresh at the usual size."""
    chromium.set_window_size(1280, 900)
    chromium.get("about:blank")
    for log in ["browser", "performance"]:
        chromium.get_log(log)
    chromium.get(address)
    return chromium
