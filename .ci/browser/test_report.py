"""The HTML report as somebody opens it from disk."""

import json

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By


def all_of(page: Chrome, selector: str):
    return page.find_elements(By.CSS_SELECTOR, selector)


def one(page: Chrome, selector: str):
    return page.find_element(By.CSS_SELECTOR, selector)


def press(page: Chrome, *keys: str) -> None:
    page.switch_to.active_element.send_keys(*keys)


def focused(page: Chrome) -> str:
    return page.execute_script("return document.activeElement.textContent")


def visible_rows(page: Chrome) -> int:
    return len(all_of(page, "table.files tbody tr:not([hidden])"))


def test_the_console_stays_silent(page: Chrome) -> None:
    for summary in all_of(page, "details:not([open]) > summary"):
        page.execute_script("arguments[0].parentElement.open = true", summary)
    assert page.get_log("browser") == []


def test_nothing_is_requested_from_anywhere(page: Chrome, address: str) -> None:
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert address in asked, "the log holds requests"
    assert [url for url in asked if url != address and not url.startswith("data:")] == []


def test_the_policy_lets_nothing_else_run(page: Chrome) -> None:
    injected = """
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        return window.ran === true;
    """
    assert page.execute_script(injected) is False
    assert any("Content Security Policy" in entry["message"] for entry in page.get_log("browser"))


def test_the_verdict_comes_first_and_pictures_are_drawn(page: Chrome) -> None:
    assert "error" in one(page, "h1").text
    images = page.execute_script(
        "return Promise.all([...document.querySelectorAll('svg.definitions image')].map((it) => {"
        "  const image = new Image(); image.src = it.getAttribute('href');"
        "  return image.decode().then(() => image.naturalWidth, () => 0); }))"
    )
    assert len(images) > 10
    assert all(width > 0 for width in images)


def test_filters_narrow_the_table_and_live_in_the_address(page: Chrome) -> None:
    everything = visible_rows(page)
    one(page, ".filters [name=severity]").send_keys("error")
    errors = visible_rows(page)
    assert 0 < errors < everything
    assert f"{errors} of {everything}" in one(page, ".filters output").text
    assert "severity=error" in page.current_url

    one(page, ".filters [name=text]").send_keys("no such file anywhere")
    assert visible_rows(page) == 0

    page.get(page.current_url.split("#")[0] + "#severity=error")
    page.refresh()
    assert visible_rows(page) == errors


def test_j_and_k_walk_the_findings(page: Chrome) -> None:
    press(page, "j")
    first = focused(page)
    press(page, "j")
    second = focused(page)
    assert first != second
    press(page, "k")
    assert focused(page) == first


def test_enter_opens_a_file_and_escape_goes_back(page: Chrome) -> None:
    row = one(page, "table.places tr[data-item]")
    page.execute_script("arguments[0].focus()", row)
    before = focused(page)
    press(page, Keys.ENTER)
    assert focused(page) != before
    assert page.current_url.split("#")[1].startswith("f")
    press(page, Keys.ESCAPE)
    assert focused(page) == before


def test_keys_are_left_alone_in_fields(page: Chrome) -> None:
    field = one(page, ".filters [name=text]")
    field.send_keys("jk")
    assert field.get_attribute("value") == "jk"


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_window(page: Chrome, width: int) -> None:
    # A window cannot be this narrow, a viewport can.
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        inner, content = page.execute_script(
            "return [document.documentElement.clientWidth, document.documentElement.scrollWidth]"
        )
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert inner == width or inner == width - 15, "with or without a scroll bar"
    assert content <= inner


def contrast(page: Chrome, selector: str) -> float:
    """Contrast of an element's text against the page, WCAG 2.2."""
    return page.execute_script(
        """
        const linear = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
        const luminance = (color) => {
          const [r, g, b] = color.match(/[0-9.]+/g).map(Number).map(linear);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const text = getComputedStyle(document.querySelector(arguments[0])).color;
        const ground = getComputedStyle(document.body).backgroundColor;
        const [high, low] = [luminance(text), luminance(ground)].sort((a, b) => b - a);
        return (high + 0.05) / (low + 0.05);
        """,
        selector,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_be_read(page: Chrome, scheme: str) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        is_dark = max(int(part) for part in ground.strip("rgb()").split(",")) < 128
        assert is_dark == (scheme == "dark")
        for selector in ["h1", "p.quiet", ".severity.error", ".severity.warning", "a.path"]:
            assert contrast(page, selector) >= 4.5, selector
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_cards_open_without_a_script(chromium: Chrome, address: str) -> None:
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.get("about:blank")
        chromium.get(address)
        card = one(chromium, "details.card:not([open])")
        card.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
        assert card.get_attribute("open") is not None
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
