"""The report of a real audit in a real browser."""

import base64
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from app.events.store import Store
from app.report.export import as_coco, as_csv, rows
from app.report.page import write_report
from novic.vocabulary import ThingKind
from tests.app.report.runs import a_fault, a_run, a_seen, of_site, parted

pytestmark = pytest.mark.slow

OFFLINE = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PHONE, DESK = (390, 844), (1280, 800)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if not driver or not chromium:
        missing = (
            "a real browser is not available; install it with: apt-get install chromium-driver"
        )
        if os.environ.get("PEERS_REQUIRED") == "1":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in (*OFFLINE, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield opened
    opened.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    show(chromium, DESK)
    yield chromium
    assert chromium.get_log("browser") == []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report with events of every sort."""
    folder = tmp_path_factory.mktemp("many")
    seen = [
        a_seen(number, ((("cat", "dog")[number % 2], 0.9 - 0.05 * number),)) for number in range(5)
    ]
    seen[0] = parted(seen[0])
    guesses = [a_seen(number, (("drug", 0.07), ("oil", 0.05))) for number in (5, 6)]
    with Store(folder) as store:
        write_report(store, a_run(store, *seen, *guesses, a_fault(99)))
    return folder


def show(browser: webdriver.Chrome, size: tuple[int, int], *, dark: bool = False) -> None:
    """Give the page a screen."""
    screen = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def open_report(browser: webdriver.Chrome, folder: Path) -> None:
    browser.get(f"file://{folder / 'report.html'}")


def press(browser: webdriver.Chrome, *keys: str) -> None:
    ActionChains(browser).send_keys(*keys).perform()


def cards(browser: webdriver.Chrome) -> list[WebElement]:
    return [one for one in browser.find_elements(By.CSS_SELECTOR, ".card") if one.is_displayed()]


def numbers(browser: webdriver.Chrome) -> list[str]:
    return [card.get_attribute("data-n") or "" for card in cards(browser)]


def focused_card(browser: webdriver.Chrome) -> str:
    said = "return document.activeElement.closest('.card')?.dataset.n ?? ''"
    return browser.execute_script(said)


def choose(browser: webdriver.Chrome, which: str, value: str) -> None:
    browser.find_element(By.CSS_SELECTOR, f"{which} option[value='{value}']").click()


def test_the_report_shows_every_event(browser: webdriver.Chrome, audited: tuple[Path, str]):
    folder, line = audited
    events = json.loads(line)["events"]
    open_report(browser, folder)
    titles = {
        card.get_attribute("data-n"): card.find_element(By.TAG_NAME, "h3").text
        for card in cards(browser)
    }
    assert titles == {str(n): event["headline"] for n, event in enumerate(events, start=1)}
    assert len(events) == 2
    widths = browser.execute_script("return [...document.images].map(i => i.naturalWidth)")
    assert len(widths) == 2 * len(events)
    assert all(width > 0 for width in widths)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_thing_is_shown_whole_and_in_its_shape(
    browser: webdriver.Chrome, many: Path, size: tuple[int, int]
):
    show(browser, size)
    open_report(browser, many)
    faults = browser.execute_script(
        "return [...document.querySelectorAll('.shot')].filter(shot => {"
        "const around = shot.getBoundingClientRect(), image = shot.querySelector('img');"
        "const { left, right, top, bottom, width, height } = image.getBoundingClientRect();"
        "return left < around.left - 1 || right > around.right + 1 || top < around.top - 1"
        " || bottom > around.bottom + 1 || width * height < 5000"
        " || Math.abs(width / height - image.naturalWidth / image.naturalHeight) > .03 })"
        ".map(shot => shot.getAttribute('aria-label'))"
    )
    assert faults == []


def test_the_first_screen_shows_several_things(browser: webdriver.Chrome, many: Path):
    open_report(browser, many)
    tops = [card.find_element(By.CSS_SELECTOR, ".told").rect["y"] for card in cards(browser)]
    assert sum(top < DESK[1] for top in tops) >= 5


def test_the_box_lies_where_the_event_was(browser: webdriver.Chrome, audited: tuple[Path, str]):
    event = json.loads(audited[1])["events"][0]
    open_report(browser, audited[0])
    share = browser.execute_script(
        "const map = document.querySelector('#event-1 .map').getBoundingClientRect();"
        "const box = document.querySelector('#event-1 .map .box').getBoundingClientRect();"
        "return [(box.left - map.left) / map.width, box.width / map.width]"
    )
    left, _, right, _ = event["box"]
    assert share == pytest.approx([left / 640, (right - left) / 640], abs=0.02)


def test_heat_is_off_until_asked_for_one_event_or_all(browser: webdriver.Chrome, many: Path):
    def shown() -> list[float]:
        said = (
            "[...document.querySelectorAll('.card .heat')].map(h => +getComputedStyle(h).opacity)"
        )
        return browser.execute_script(f"return {said}")

    open_report(browser, many)
    assert set(shown()) == {0}
    button = browser.find_element(By.CSS_SELECTOR, "#event-2 .one-heat")
    button.click()
    assert button.get_attribute("aria-label") == "heat of event 2"
    assert [on > 0 for on in shown()].count(True) == 2
    press(browser, "h")
    assert min(shown()) > 0
    press(browser, "h")
    assert set(shown()) == {0}


def test_everything_can_be_done_with_keys(browser: webdriver.Chrome, many: Path):
    open_report(browser, many)
    press(browser, "j")
    assert focused_card(browser) == "1"
    press(browser, "j", Keys.ARROW_RIGHT, "k")
    assert focused_card(browser) == "2"
    press(browser, Keys.ENTER)
    view = browser.find_element(By.ID, "view")
    title = browser.find_element(By.ID, "view-title")
    assert view.is_displayed()
    assert title.text.startswith("#2 dog")
    press(browser, Keys.ARROW_RIGHT)
    assert title.text.startswith("#3 cat")
    press(browser, Keys.ESCAPE)
    assert not view.is_displayed()
    # A closing view gives the focus back a moment later.
    WebDriverWait(browser, 20).until(lambda _: focused_card(browser) == "3")
    press(browser, "/", "drug")
    assert numbers(browser) == ["6", "7"]
    press(browser, Keys.ESCAPE)
    assert len(cards(browser)) == 8
    press(browser, "?")
    assert browser.find_element(By.ID, "keys").is_displayed()


def test_every_control_has_a_name_and_shows_its_focus(browser: webdriver.Chrome, many: Path):
    open_report(browser, many)
    first, names = "", []
    for _ in range(80):
        press(browser, Keys.TAB)
        said = browser.execute_script(
            "const e = document.activeElement;"
            "return [e.getAttribute('aria-label') || e.textContent.trim(), "
            "getComputedStyle(e).outlineStyle, e.tagName]"
        )
        if said[2] == "BODY" or said[0] == first:
            break
        first = first or said[0]
        assert said[0], said
        assert said[1] != "none", said
        names.append(said[0])
    assert {"CSV", "COCO", "Heat", "search nouns, cameras, times"} <= set(names)
    assert sum(name.endswith(": enlarge") for name in names) == 8


def test_events_can_be_filtered_and_sorted(browser: webdriver.Chrome, many: Path):
    open_report(browser, many)
    groups = [
        one.get_attribute("data-group") for one in browser.find_elements(By.CSS_SELECTOR, ".group")
    ]
    assert groups == ["sure", "unsure", "camera"]
    chips = {chip.text: chip for chip in browser.find_elements(By.CSS_SELECTOR, ".chips button")}
    assert set(chips) == {"cat 3", "dog 2", "something unnamed 2", "black picture 1"}
    chips["dog 2"].click()
    assert numbers(browser) == ["2", "4"]
    assert browser.find_element(By.ID, "shown").text == "2 of 8"
    chips["dog 2"].click()
    choose(browser, "#group", "unsure")
    assert numbers(browser) == ["6", "7"]
    choose(browser, "#group", "camera")
    assert numbers(browser) == ["8"]
    choose(browser, "#group", "sure")
    choose(browser, "#sort", "noun")
    assert numbers(browser) == ["1", "3", "5", "2", "4"]
    choose(browser, "#sort", "p")
    assert numbers(browser) == ["1", "2", "3", "4", "5"]
    browser.find_element(By.ID, "search").send_keys("nothing like it")
    assert cards(browser) == []
    browser.find_element(By.ID, "clear").click()
    assert len(cards(browser)) == 8


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report of a camera of which it is known what is usual there."""
    folder = tmp_path_factory.mktemp("site")
    sheep = ThingKind("hoofed animal", 0.9, sure=True, maybe="bighorn sheep")
    seen = [a_seen(0), a_seen(1), a_seen(2, (("bighorn sheep", 0.4),), thing=sheep), a_seen(3)]
    known = [("cat", 8.0, 0.8), ("cat", 2.0, 0.8), ("sheep", 2.0, 0.8), ("cat", 2.0, 0.1)]
    events = [
        replace(one, event=replace(one.event, evidence=of_site(*facts)))
        for one, facts in zip(seen, known, strict=True)
    ]
    events[2] = replace(events[2], event=replace(events[2].event, change="missing"))
    with Store(folder) as store:
        write_report(store, a_run(store, *events, a_fault(99)))
    return folder


def test_events_are_filtered_by_whether_they_belong(browser: webdriver.Chrome, site: Path):
    open_report(browser, site)
    chips = {
        chip.text: chip for chip in browser.find_elements(By.CSS_SELECTOR, ".chips [data-here]")
    }
    assert list(chips) == ["expected here 1", "not expected here 2", "unknown 1"]
    chips["not expected here 2"].click()
    assert numbers(browser) == ["2", "3"]
    assert all("not expected here" in card.text for card in cards(browser))
    browser.find_element(By.CSS_SELECTOR, ".chips [data-noun=cat]").click()
    assert numbers(browser) == ["2"]
    press(browser, Keys.ESCAPE)
    assert len(cards(browser)) == 5
    pressed = browser.find_elements(By.CSS_SELECTOR, ".chips [aria-pressed=true]")
    assert pressed == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_heads_and_choices_are_read_whole(
    browser: webdriver.Chrome, site: Path, size: tuple[int, int]
):
    show(browser, size)
    open_report(browser, site)
    heads = "document.querySelectorAll('.card h3')"
    said = browser.execute_script(f"return [...{heads}].map(head => head.innerText)")
    assert "missing: hoofed animal (bighorn sheep?)" in said
    cut = "head.scrollWidth > head.clientWidth + 1 || head.scrollHeight > head.clientHeight + 1"
    assert browser.execute_script(f"return [...{heads}].filter(head => {cut}).length") == 0
    widths = browser.execute_script(
        "const list = document.querySelector('#group'), text = document.createElement('span');"
        "text.textContent = list.selectedOptions[0].text;"
        "text.style.font = getComputedStyle(list).font; document.body.append(text);"
        "return [text.getBoundingClientRect().width, list.clientWidth]"
    )
    # Beside the text are the arrow and the padding.
    assert widths[0] + 40 <= widths[1]


def test_the_timeline_leads_to_the_event(browser: webdriver.Chrome, audited: tuple[Path, str]):
    open_report(browser, audited[0])
    browser.find_elements(By.CSS_SELECTOR, ".bar")[1].click()
    assert focused_card(browser) == "2"


def test_exports_of_the_page_are_those_of_the_command(
    browser: webdriver.Chrome, many: Path, tmp_path: Path
):
    where = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    open_report(browser, many)
    found = {}
    for button, name in (("csv", "events.csv"), ("coco", "events.coco.json")):
        browser.find_element(By.ID, button).click()
        WebDriverWait(browser, 20).until(lambda _, name=name: (tmp_path / name).exists())
        found[button] = (tmp_path / name).read_bytes().decode()
    with Store(many) as store:
        run = store.last_run()
        assert run is not None
        table = rows(store, run)
    assert plain(found["csv"]) == plain(as_csv(table))
    assert json.loads(found["coco"]) == as_coco(table, f"Nomaly {run.app_version}, audit 1")


def plain(table: str) -> list[str]:
    """A table in which whole numbers look alike, however a language writes them."""
    return re.sub(r"(?<=\d)\.0(?=,)", "", table).splitlines()


def test_an_event_of_two_people_is_enlarged_with_both_boxes(browser: webdriver.Chrome, many: Path):
    open_report(browser, many)
    for event, boxes in ((1, 2), (2, 1)):
        browser.find_element(By.CSS_SELECTOR, f"#event-{event} .shot").click()
        assert len(browser.find_elements(By.CSS_SELECTOR, "#view-scene .box")) == boxes
        near = browser.find_elements(By.CSS_SELECTOR, "#view-near .box")
        assert len(near) == (2 if boxes == 2 else 0)
        press(browser, Keys.ESCAPE)


def test_an_event_is_played_where_it_happened(browser: webdriver.Chrome, audited: tuple[Path, str]):
    event = json.loads(audited[1])["events"][1]
    open_report(browser, audited[0])
    browser.find_element(By.CSS_SELECTOR, "#event-2 .shot").click()
    press(browser, "p")
    video = browser.find_element(By.TAG_NAME, "video")
    WebDriverWait(browser, 30).until(lambda _: video.get_property("readyState") in (3, 4))
    at = browser.execute_script("return arguments[0].currentTime", video)
    assert event["start_s"] - 1.5 < at < event["end_s"]
    length = browser.execute_script("return arguments[0].duration", video)
    assert length > event["end_s"]


def test_a_phone_needs_no_sideways_scrolling_and_has_room_for_fingers(
    browser: webdriver.Chrome, many: Path
):
    show(browser, PHONE)
    open_report(browser, many)
    assert browser.execute_script("return document.documentElement.scrollWidth") == PHONE[0]
    small = browser.execute_script(
        "return [...document.querySelectorAll('main :is(button, select, input, a, summary)')]"
        ".filter(e => !e.closest('.track') && e.checkVisibility())"
        ".map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])"
        ".filter(([, height]) => height < 44)"
    )
    assert small == []
    browser.find_element(By.CSS_SELECTOR, "#event-1 .shot").click()
    wide = "const v = document.querySelector('#view'); return [v.scrollWidth, v.clientWidth]"
    inside, room = browser.execute_script(wide)
    assert inside <= room <= PHONE[0]


LOW_CONTRAST = """
const parse = (c) => {
  const [r, g, b, a = 1] = c.match(/[\\d.]+/g).map(Number);
  return { r, g, b, a };
};
const over = (t, u) =>
  Object.fromEntries(['r', 'g', 'b'].map((k) => [k, t[k] * t.a + u[k] * (1 - t.a)]));
const light = ({ r, g, b }) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const found = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let text; (text = walk.nextNode());) {
  const e = text.parentElement;
  if (!text.data.trim() || !e.checkVisibility({ visibilityProperty: true })) continue;
  if (e.matches('script, option, :disabled')) continue;
  const grounds = [];
  for (let p = e; p; p = p.parentElement) {
    grounds.unshift(parse(getComputedStyle(p).backgroundColor));
  }
  const ground = grounds.reduce((under, next) => over(next, under), { r: 255, g: 255, b: 255 });
  const ink = over(parse(getComputedStyle(e).color), ground);
  const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  if (ratio < 4.5) found.push([text.data.trim(), ratio]);
}
return found;
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_text_is_pale(browser: webdriver.Chrome, many: Path, dark: bool, size: tuple[int, int]):
    show(browser, size, dark=dark)
    open_report(browser, many)
    assert browser.execute_script(LOW_CONTRAST) == []
    press(browser, "j", Keys.ENTER)
    assert browser.execute_script(LOW_CONTRAST) == []


def test_labels_of_the_timeline_never_lie_on_one_another(browser: webdriver.Chrome, many: Path):
    for size in (DESK, PHONE):
        show(browser, size)
        open_report(browser, many)
        overlaps = browser.execute_script(
            "const seen = [...document.querySelectorAll('.bar span, .ticks span')]"
            ".filter(e => e.checkVisibility({ visibilityProperty: true }))"
            ".map(e => e.getBoundingClientRect());"
            "const clash = (a, b) => a.left < b.right && b.left < a.right"
            " && a.top < b.bottom && b.top < a.bottom;"
            "const clashes = seen.filter((a, i) => seen.slice(i + 1).some(b => clash(a, b)));"
            "return [seen.length, clashes.length]"
        )
        assert overlaps[0] > 3
        assert overlaps[1] == 0


def test_print_fills_its_pages_and_shows_every_event(browser: webdriver.Chrome, many: Path):
    open_report(browser, many)
    printed: dict[str, Any] = browser.execute_cdp_cmd(
        "Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": False}
    )
    pages = len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"])))
    assert 1 <= pages <= 3
