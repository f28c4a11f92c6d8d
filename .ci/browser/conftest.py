"""A real Chromium, with the report of a demo set in it, or with the pages of a service."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from service import Service


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--demo", type=Path, required=True, help="a demo set; its report lies beside")
    parser.addoption("--service", type=Path, required=True, help="the luna-http binary")
    parser.addoption("--axe", type=Path, required=True, help="axe-core's script")
    parser.addoption("--shots", type=Path, required=True, help="folder for pictures of the pages")


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


@pytest.fixture(scope="session")
def demo(request: pytest.FixtureRequest) -> Path:
    """A folder with sub-folders, of pictures sound and not."""
    return request.config.getoption("--demo").resolve()


@pytest.fixture
def address(demo: Path) -> str:
    return demo.with_name(f"{demo.name}-report.html").as_uri()


@pytest.fixture
def page(chromium: Chrome, address: str) -> Chrome:
    """The report, opened afresh at the usual size."""
    chromium.set_window_size(1280, 900)
    chromium.get("about:blank")
    for log in ["browser", "performance"]:
        chromium.get_log(log)
    chromium.get(address)
    return chromium


@pytest.fixture(scope="session")
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    binary: Path = request.config.getoption("--service")
    started = Service(binary.resolve(), tmp_path_factory.mktemp("service"))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest) -> str:
    return request.config.getoption("--axe").read_text()


class Shots:
    """Pictures of pages, for people to look at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, page: Chrome, name: str) -> None:
        whole = {"format": "png", "captureBeyondViewport": True}
        shot = page.execute_cdp_cmd("Page.captureScreenshot", whole)
        (self.folder / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture(scope="session")
def shots(request: pytest.FixtureRequest) -> Shots:
    folder: Path = request.config.getoption("--shots")
    folder.mkdir(parents=True, exist_ok=True)
    return Shots(folder)
