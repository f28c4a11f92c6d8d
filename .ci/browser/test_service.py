"""The service's pages as somebody uses them: sign in, drop a folder, watch, read, go on after a break."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Shots
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from service import Service

PATIENCE = 120


def one(page: Chrome, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def texts(page: Chrome, selector: str) -> list[str]:
    return [it.text for it in page.find_elements(By.CSS_SELECTOR, selector)]


def wait(page: Chrome, until: Callable[[Chrome], object]) -> None:
    def holds(page: Chrome) -> object:
        # What belonged to the page before is not yet what is waited for; the driver has two ways to say so.
        try:
            return until(page)
        except StaleElementReferenceException:
            return False
        except WebDriverException as error:
            if "does not belong to the document" in str(error.msg):
                return False
            raise

    WebDriverWait(page, PATIENCE).until(holds)


def press(page: Chrome, *keys: str) -> None:
    page.switch_to.active_element.send_keys(*keys)


def forget(page: Chrome) -> None:
    """Nobody is signed in any more, and no page of theirs is open."""
    page.get("about:blank")
    page.execute_cdp_cmd("Network.clearBrowserCookies", {})


def sign_in(page: Chrome, service: Service, path: str = "/") -> None:
    forget(page)
    if service.session is None:
        page.get(f"{service.url}/sign-in")
        one(page, "#username").send_keys("admin")
        one(page, "#password").send_keys(service.password, Keys.ENTER)
        wait(page, lambda it: "/sign-in" not in it.current_url)
        service.session = page.get_cookie("luna_session")
    else:
        known = {key: service.session[key] for key in ("name", "value", "domain", "path")}
        page.execute_cdp_cmd("Network.setCookie", known)
    page.get(service.url + path)


def is_validated(page: Chrome) -> bool:
    return "/datasets/" in page.current_url and bool(texts(page, "section.verdict"))


@pytest.fixture
def browser(chromium: Chrome) -> Iterator[Chrome]:
    """At the usual size, with nothing in its log."""
    chromium.set_window_size(1280, 900)
    chromium.get("about:blank")
    chromium.get_log("browser")
    yield chromium
    forget(chromium)


@pytest.fixture(scope="module")
def validated(chromium: Chrome, service: Service, demo: Path) -> str:
    """The page of a data set that was dropped and validated."""
    chromium.set_window_size(1280, 900)
    sign_in(chromium, service, "/upload")
    chromium.get_log("browser")
    drop(chromium, demo)
    wait(chromium, lambda it: one(it, "#count").text)
    assert one(chromium, "#name").get_attribute("value") == demo.name
    one(chromium, "#send").click()
    wait(chromium, is_validated)
    assert chromium.get_log("browser") == []
    return chromium.current_url


def requests(page: Chrome) -> list[dict[str, str]]:
    """What the browser asked for since its log was read last."""
    events = [json.loads(it["message"])["message"] for it in page.get_log("performance")]
    return [
        it["params"]["request"] for it in events if it["method"] == "Network.requestWillBeSent"
    ]


def drop(page: Chrome, folder: Path) -> None:
    """As from a file manager: the browser itself reads the folder."""
    place = one(page, "#drop").rect
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ["dragEnter", "dragOver", "drop"]:
        page.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})


def test_signing_in_leads_to_the_page_that_was_asked_for(browser: Chrome, service: Service) -> None:
    browser.get(f"{service.url}/rules/LF004?from=test")
    assert "/sign-in" in browser.current_url
    one(browser, "#username").send_keys("admin")
    one(browser, "#password").send_keys("wrong", Keys.ENTER)
    wait(browser, lambda it: texts(it, "#complaint"))
    assert "not right" in one(browser, "#complaint").text
    assert one(browser, "#username").get_attribute("value") == "admin"
    one(browser, "#password").send_keys(service.password, Keys.ENTER)
    wait(browser, lambda it: it.current_url == f"{service.url}/rules/LF004?from=test")
    assert "truncated-file" in one(browser, "h1").text
    one(browser, ".session button").click()
    browser.get(f"{service.url}/")
    assert "/sign-in" in browser.current_url


def test_whoever_tries_too_often_learns_how_long_to_wait(browser: Chrome, service: Service) -> None:
    browser.get(f"{service.url}/sign-in")
    for _ in range(8):
        browser.execute_script("window.isBefore = true")
        field = one(browser, "#username")
        field.clear()
        field.send_keys("nobody")
        one(browser, "#password").send_keys("wrong", Keys.ENTER)
        # The next page is a new window to scripts.
        wait(browser, lambda it: not it.execute_script("return window.isBefore"))
        wait(browser, lambda it: texts(it, "#complaint"))
        if "locked for" in one(browser, "#complaint").text:
            return
    pytest.fail("never locked")


def test_a_dropped_folder_is_counted_sent_and_validated(
    browser: Chrome, service: Service, validated: str, demo: Path
) -> None:
    sign_in(browser, service, validated.removeprefix(service.url))
    files = sum(1 for it in demo.rglob("*") if it.is_file())
    assert f"{files} files" in one(browser, "section.verdict").text
    assert "error" in one(browser, "#verdict-title").text
    assert len(texts(browser, ".steps li")) > 0

    # Pictures come when their card is opened.
    card = one(browser, "details.card:has(.gallery)")
    card.find_element(By.TAG_NAME, "summary").click()
    sizes = "return [...arguments[0].querySelectorAll('img')].map((it) => it.naturalWidth)"
    wait(browser, lambda it: all(it.execute_script(sizes, card)))

    one(browser, ".filters [name=severity]").send_keys("error")
    one(browser, ".filters button").click()
    assert "severity=error" in browser.current_url
    assert set(texts(browser, ".findings .severity")) == {"■ error"}
    one(browser, ".findings td[data-label=Rule] a").click()
    assert "/rules/L" in browser.current_url
    assert "What to do" in texts(browser, "h2")
    assert "finding" in one(browser, ".notice").text


def test_a_rule_shows_pictures_and_what_is_in_force(
    browser: Chrome, service: Service, validated: str
) -> None:
    sign_in(browser, service, "/rules/LF004")
    assert "How it looks" in texts(browser, "h2")
    widths = "return [...document.querySelectorAll('.gallery img')].map((it) => it.naturalWidth)"
    scroll = "document.querySelector('main').lastElementChild.scrollIntoView(false)"
    browser.execute_script(scroll)
    wait(browser, lambda it: all(it.execute_script(widths)))
    assert len(browser.execute_script(widths)) >= 3, "two that show the rule, and the own"
    browser.get(f"{service.url}/rules/LP005")
    assert "In force" in texts(browser, "th")


def test_copies_and_the_set_as_a_whole_lead_to_the_files(
    browser: Chrome, service: Service, validated: str
) -> None:
    sign_in(browser, service)
    browser.get(validated)
    pairs = browser.find_elements(By.CSS_SELECTOR, "#duplicates article")
    assert pairs and all(len(it.find_elements(By.CSS_SELECTOR, "figure img")) > 1 for it in pairs)
    assert all(len(it.find_elements(By.CSS_SELECTOR, ".kept")) == 1 for it in pairs)
    assert one(browser, ".keep-list textarea").get_attribute("value").startswith("keep,drop\n")
    titles = texts(browser, "#set figcaption b")
    assert "Shorter side" in titles and "Mean against contrast" in titles
    assert "Profile" in one(browser, "#origin").text
    point = one(browser, "#set svg a")
    path = point.find_element(By.TAG_NAME, "title").get_attribute("textContent").split(":")[0]
    point.send_keys(Keys.ENTER)
    wait(browser, lambda it: "path=" in it.current_url)
    assert one(browser, ".filters [name=path]").get_attribute("value") == path


def test_files_are_listed_page_by_page_with_what_was_found(
    browser: Chrome, service: Service, validated: str, demo: Path
) -> None:
    sign_in(browser, service)
    browser.get(validated)
    browser.find_element(By.LINK_TEXT, "All files").click()
    first = texts(browser, "table a.path")
    assert len(first) == 50 and first == sorted(first)
    one(browser, "[rel=next]").click()
    rest = texts(browser, "table a.path")
    on_disk = {str(it.relative_to(demo)) for it in demo.rglob("*") if it.is_file()}
    assert {*first, *rest} == on_disk
    one(browser, ".filters [name=under]").send_keys("train/P0110", Keys.ENTER)
    wait(browser, lambda it: "under=" in it.current_url)
    assert texts(browser, "table a.path") == ["train/P0110.png"]
    assert "LF004" in one(browser, "tbody").text


def test_an_upload_goes_on_after_a_closed_tab(browser: Chrome, service: Service, demo: Path) -> None:
    sign_in(browser, service, "/upload")
    one(browser, "#folder").send_keys(str(demo))
    wait(browser, lambda it: one(it, "#count").text)
    name = one(browser, "#name")
    name.clear()
    name.send_keys("broken off")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_500_000}
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    one(browser, "#send").click()
    some_sent = "return [...document.querySelectorAll('#files li')].some((it) => / sent$/.test(it.textContent))"
    wait(browser, lambda it: it.execute_script(some_sent))
    browser.get("about:blank")
    fast = slow | {"uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", fast)

    browser.get(f"{service.url}/")
    row = one(browser, "tbody tr")
    assert "broken off" in row.text
    assert "files arrived; choose the same folder to go on" in row.text
    row.find_element(By.LINK_TEXT, "choose the same folder to go on").click()
    one(browser, "#folder").send_keys(str(demo))
    wait(browser, lambda it: one(it, "#send").is_enabled() and one(it, "#send").is_displayed())
    one(browser, "#send").click()
    wait(browser, is_validated)
    files = sum(1 for it in demo.rglob("*") if it.is_file())
    assert f"{files} files" in one(browser, "section.verdict").text
    assert "LM006" not in one(browser, "main").text, "nothing is missing"


def test_a_long_list_of_files_holds_only_what_is_in_sight(
    browser: Chrome, service: Service, tmp_path: Path
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(1_200):
        (many / f"{number:04}.txt").write_text(f"note {number}")
    sign_in(browser, service, "/upload")
    one(browser, "#folder").send_keys(str(many))
    wait(browser, lambda it: one(it, "#count").text.startswith("1,200 files"))
    # Held up, so that there is a list to look at.
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*signature=*"]})
    try:
        one(browser, "#send").click()
        wait(browser, lambda it: texts(it, "#files li"))
        assert 0 < len(texts(browser, "#files li:not(.filler)")) < 200
        browser.execute_script("const box = document.querySelector('#files'); box.scrollTop = box.scrollHeight")
        wait(browser, lambda it: any(line.startswith("1199.txt") for line in texts(it, "#files li")))
    finally:
        browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})


def test_files_go_from_the_browser_to_the_bucket(
    browser: Chrome, request: pytest.FixtureRequest, tmp_path: Path, demo: Path
) -> None:
    bucket = os.environ.get("LUNA_TEST_S3")
    if bucket is None:
        assert "LUNA_TEST_SERVERS" not in os.environ, "run the tests under .ci/servers"
        pytest.skip("LUNA_TEST_S3 names no bucket")
    place, options = bucket.split("?")
    binary = request.config.getoption("--service").resolve()
    on_bucket = Service(binary, tmp_path, LUNA_STORAGE_URL=f"{place}/browser?{options}")
    try:
        sign_in(browser, on_bucket, "/upload")
        browser.get_log("performance")
        one(browser, "#folder").send_keys(str(demo / "web"))
        wait(browser, lambda it: one(it, "#count").text)
        one(browser, "#send").click()
        wait(browser, is_validated)
        files = sum(1 for it in (demo / "web").rglob("*") if it.is_file())
        sent = [it for it in requests(browser) if it["method"] == "PUT"]
        assert len(sent) == files
        assert not any(it["url"].startswith(on_bucket.url) for it in sent)
    finally:
        on_bucket.stop()


def test_the_next_version_is_sent_what_changed(
    browser: Chrome, service: Service, validated: str, tmp_path: Path
) -> None:
    sign_in(browser, service, validated.removeprefix(service.url))
    one(browser, "a.button[href*=replaces]").click()
    fixed = tmp_path / "fixed"
    fixed.mkdir()
    (fixed / "README.md").write_text("Written anew.")
    one(browser, "#folder").send_keys(str(fixed))
    wait(browser, lambda it: one(it, "#count").text)
    assert one(browser, "#count").text.startswith("1 file to send")
    one(browser, "#send").click()
    wait(browser, is_validated)
    assert "Version 2" in one(browser, "main").text
    assert "as many findings of each rule" in one(browser, "main").text


def test_all_of_it_works_by_keyboard(browser: Chrome, service: Service, demo: Path) -> None:
    browser.get(f"{service.url}/upload")
    press(browser, "admin")
    press(browser, Keys.TAB)
    press(browser, service.password)
    press(browser, Keys.ENTER)
    wait(browser, lambda it: it.current_url == f"{service.url}/upload")
    one(browser, "body").send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"
    press(browser, Keys.ENTER)
    press(browser, Keys.TAB)
    assert browser.switch_to.active_element.get_attribute("id") == "folder"
    press(browser, str(demo / "web"))
    wait(browser, lambda it: it.switch_to.active_element.get_attribute("id") == "send")
    press(browser, Keys.ENTER)
    wait(browser, is_validated)
    # Up to the filters, which are left by Enter in a field.
    for _ in range(80):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.switch_to.active_element
        assert focused.value_of_css_property("outline-style") != "none", focused.get_attribute("outerHTML")
        if focused.get_attribute("name") == "rule":
            break
    press(browser, "LF002", Keys.ENTER)
    wait(browser, lambda it: "rule=LF002" in it.current_url)


def test_whoever_is_invited_sees_nothing_of_another_team(
    browser: Chrome, service: Service, validated: str
) -> None:
    team = service.call("/teams", {"name": "invited"})["team_id"]
    invite = service.call("/invites", {"team_id": team, "role": "user"})
    browser.get(invite["url"])
    one(browser, "#username").send_keys("eve")
    one(browser, "#password").send_keys("a password of eve", Keys.ENTER)
    wait(browser, lambda it: "Sign in" in texts(it, "h1"))
    assert one(browser, "#username").get_attribute("value") == "eve"
    one(browser, "#password").send_keys("a password of eve", Keys.ENTER)
    wait(browser, lambda it: "Data sets" in texts(it, "h1"))
    assert "Nothing has been uploaded yet" in one(browser, "main").text
    assert "Organiser" not in one(browser, "nav").text
    path = validated.removeprefix(service.url)
    number = path.rsplit("/", 1)[1]
    for hidden in [
        path,
        f"{path}/files",
        f"/upload?replaces={number}",
        "/organiser",
        "/organiser.csv",
        "/organiser/duplicates",
        "/datasets/999999",
    ]:
        browser.get(service.url + hidden)
        assert texts(browser, "h1") == ["There is nothing here"], hidden
        assert "Request " in one(browser, "main").text
    browser.get(invite["url"])
    one(browser, "#username").send_keys("mallory")
    one(browser, "#password").send_keys("a password of mallory", Keys.ENTER)
    wait(browser, lambda it: texts(it, "#complaint"))
    assert "was used" in one(browser, "#complaint").text


PAGES = [
    "/",
    "/upload",
    "/rules",
    "/rules/LF004",
    "/organiser",
    "/organiser/duplicates",
    "/nowhere",
    "{validated}",
    "{validated}/files",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Chrome,
    service: Service,
    validated: str,
    axe: str,
    shots: Shots,
    scheme: str,
    width: int,
) -> None:
    sign_in(browser, service)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    # Scroll bars of a phone lie over the page.
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    faults = []
    try:
        for path in [*PAGES, "/sign-in", "/invite?token=x"]:
            browser.get(path.format(validated=validated) if path[0] == "{" else service.url + path)
            name = re.sub(r"[{}]|\?.*", "", path).strip("/").replace("/", "-") or "datasets"
            shots.take(browser, f"{name}-{scheme}-{width}")
            found = browser.execute_script(axe + ";return axe.run({resultTypes: ['violations']})")
            for it in found["violations"]:
                places = [node["html"][:120] for node in it["nodes"][:3]]
                faults.append((path, it["impact"], it["id"], places))
            inner, content = browser.execute_script(
                "return [document.documentElement.clientWidth, document.documentElement.scrollWidth]"
            )
            if content > inner:
                faults.append((path, "too wide", content, inner))
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert faults == []


def test_pages_ask_nothing_of_anywhere_else(
    browser: Chrome, service: Service, validated: str
) -> None:
    sign_in(browser, service)
    browser.get_log("performance")
    for path in ["/", "/upload", "/rules/LF004", "/organiser"]:
        browser.get(service.url + path)
    browser.get(validated)
    asked = [it["url"] for it in requests(browser)]
    assert validated in asked, "the log holds requests"
    assert [it for it in asked if not it.startswith(service.url)] == []
    assert browser.get_log("browser") == []


def test_a_report_is_read_without_a_script(
    browser: Chrome, service: Service, validated: str
) -> None:
    sign_in(browser, service)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(validated)
        card = one(browser, "details.card:not([open])")
        card.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
        assert card.get_attribute("open") is not None
        one(browser, ".filters [name=rule]").send_keys("LF004", Keys.ENTER)
        assert "rule=LF004" in browser.current_url
        assert "LF004" in one(browser, ".findings").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_broken_off_page_says_so_and_keeps_its_numbers(
    browser: Chrome, service: Service, validated: str
) -> None:
    sign_in(browser, service)
    browser.get(validated)
    browser.execute_cdp_cmd("Network.enable", {})
    block = {"urls": ["*/events", "*/status"]}
    browser.execute_cdp_cmd("Network.setBlockedURLs", block)
    try:
        one(browser, "form[action$=rerun] button").click()
        wait(browser, lambda it: texts(it, "#watch"))
        numbers = one(browser, "#watch-files").text
        wait(browser, lambda it: one(it, "#watch-lost").is_displayed())
        assert "Reconnecting" in one(browser, "#watch-lost").text
        assert one(browser, "#watch-files").text == numbers
    finally:
        browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    wait(browser, is_validated)
