"""The report of an inspection in a real browser."""

from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from app.inspecting.card import InspectionCard
from app.inspecting.figures import figures
from app.inspecting.judged import Inspection, Judged, Named
from app.inspecting.judging import verdict
from app.inspecting.layout import Still, read_layout
from app.inspecting.page import write_page
from app.inspecting.place import HEAT
from app.media.pictures import heat_image, write_image
from app.simulator.stills import StillsPlan, write_stills
from calibration.good import GoodThreshold
from detectors.types import Box, Detection
from tests.peers.test_report import (
    DESK,
    LOW_CONTRAST,
    PHONE,
    browser,
    cards,
    chromium,
    open_report,
    press,
    show,
)

__all__ = ["browser", "chromium"]

pytestmark = pytest.mark.slow

HIGHEST = {"foreign": 3.4, "turned": 2.1, "worn": 1.3, "blot": 1.1, "scratch": 0.7, "good": 0.6}


def judged(still: Still, number: int, folder: Path) -> Judged:
    score = HIGHEST[still.kind] - 0.05 * (number % 2)
    heat = np.full((24, 24), 0.3, np.float32)
    heat[8:12, 6:14] = 1.5 * score
    name = f"{HEAT}/{number}.png"
    write_image(folder / name, heat_image(heat))
    box = (Detection(Box(48, 64, 112, 96), 1.5 * score),) if score > 1 else ()
    named = Named((("coin", 0.5), ("medal", 0.2)), sure=score > 3) if score > 1 else None
    return Judged(still, score, (192, 192), box, box and (box[0].box,), named, name)


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report on cups, two of each kind."""
    folder = tmp_path_factory.mktemp("inspected")
    write_stills(StillsPlan("cup", learned=1, good=2, each=2), folder / "cup")
    (folder / HEAT).mkdir()
    stills = read_layout(folder / "cup").stills
    images = tuple(judged(still, number, folder) for number, still in enumerate(stills))
    card = InspectionCard(GoodThreshold(1.0, 0.01, "extrapolated", 60), 0.01, 60)
    known = figures([verdict(one) for one in images], {})
    write_page(Inspection("cups", "detector", "padim", card, images, known), folder)
    return folder


def kinds(shown: webdriver.Chrome) -> list[str]:
    return [card.get_attribute("data-kind") or "" for card in cards(shown)]


def test_the_worst_come_first_and_the_good_are_folded(browser: webdriver.Chrome, inspected: Path):
    open_report(browser, inspected)
    assert kinds(browser) == [kind for kind in HIGHEST if HIGHEST[kind] > 1 for _ in range(2)]
    browser.find_element(By.CSS_SELECTOR, "details.good summary").click()
    assert kinds(browser)[-2:] == ["good", "good"]
    assert "scratch" in kinds(browser)
    widths = browser.execute_script("return [...document.images].map(i => i.naturalWidth)")
    assert min(widths) == 192


def test_heat_boxes_and_kinds_are_switched(browser: webdriver.Chrome, inspected: Path):
    open_report(browser, inspected)
    look = (
        "const first = document.querySelector('.card');"
        "return [+getComputedStyle(first.querySelector('.heat')).opacity > 0,"
        " first.querySelector('.box').checkVisibility()]"
    )
    assert browser.execute_script(look) == [False, True]
    press(browser, "h", "b")
    assert browser.execute_script(look) == [True, False]
    browser.find_element(By.CSS_SELECTOR, ".chips [data-kind=worn]").click()
    assert set(kinds(browser)) == {"worn"}
    browser.find_element(By.CSS_SELECTOR, ".chips [data-kind=worn]").click()
    press(browser, "w")
    browser.find_element(By.CSS_SELECTOR, "details.good summary").click()
    assert set(kinds(browser)) == {"scratch"}


def test_an_image_is_enlarged_and_the_next_follows(browser: webdriver.Chrome, inspected: Path):
    open_report(browser, inspected)
    browser.find_element(By.CSS_SELECTOR, ".shot").click()
    title = browser.find_element(By.ID, "view-title")
    assert title.text.startswith("coin · 3.40 · test/foreign/")
    press(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert title.text.startswith("something unnamed · 2.")
    wide = "return document.querySelector('#stage img').getBoundingClientRect().width"
    assert browser.execute_script(wide) > 400
    press(browser, Keys.ESCAPE)
    assert not title.is_displayed()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_everything_fits_and_can_be_read(
    browser: webdriver.Chrome, inspected: Path, size: tuple[int, int], dark: bool
):
    show(browser, size, dark=dark)
    open_report(browser, inspected)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
    assert browser.execute_script(LOW_CONTRAST) == []
