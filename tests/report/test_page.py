"""The page in a real browser: it draws, and answers to mouse, wheel and keyboard."""

import shutil

import numpy as np
import pytest

from sk_erts.report import report

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")


@pytest.fixture(scope="module")
def path(clf, unseen, tmp_path_factory):
    X, y = unseen
    path = tmp_path_factory.mktemp("page") / "report.html"
    metadata = {"age": np.linspace(20, 90, 90)}
    both = ("gradcam", "saliency")
    given = {"fs": 16, "metadata": metadata, "n_records": 24, "methods": both}
    report(clf, X, y, path=path, n_bootstrap=20, n_explained=2, **given)
    return path


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, path):
    page = browser.new_page(
        viewport={"width": 1100, "height": 900}, reduced_motion="reduce"
    )
    page.told, page.asked = [], []
    page.on("console", lambda message: page.told.append(message.text))
    page.on("pageerror", lambda error: page.told.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    page.close()


def drawn(page):
    return page.evaluate("document.getElementById('paper').toDataURL()")


def seen(page):
    data = page.evaluate("({...document.getElementById('paper').dataset})")
    return float(data["start"]), float(data["end"])


def test_it_draws_without_an_error_or_a_request(page, path):
    assert page.told == []
    assert page.asked == [path.as_uri()]
    assert page.evaluate("window.hurt") is None
    assert seen(page) == (0, 4)  # s: 64 steps at 16 Hz
    colours = page.evaluate(
        """() => {
          const c = document.getElementById("paper");
          const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
          let ink = 0, blue = 0;
          for (let i = 0; i < d.length; i += 4) {
            if (d[i] < 60 && d[i + 1] < 60 && d[i + 2] < 60) ink++;
            if (d[i + 2] > d[i] + 60) blue++;
          }
          return [ink, blue];
        }"""
    )
    assert min(colours) > 500


def test_a_click_switches_class_and_method(page):
    first = drawn(page)
    page.locator("#class input").nth(1).check()
    second = drawn(page)
    assert second != first
    page.get_by_label("saliency").check()
    assert drawn(page) not in (first, second)
    page.locator("#class input").nth(0).check()
    page.get_by_label("gradcam").check()
    assert drawn(page) == first


def test_another_record_is_shown(page):
    first, told = drawn(page), page.locator("#told").text_content()
    page.get_by_role("button", name="Next").click()
    assert drawn(page) != first
    assert page.locator("#told").text_content() != told
    page.locator("#record").select_option(index=0)
    assert drawn(page) == first


def test_the_wheel_zooms_in_time_once_the_record_was_clicked(page):
    canvas = page.locator("#paper")
    canvas.dispatch_event("wheel", {"deltaY": -100})
    assert seen(page) == (0, 4)  # the page scrolls instead
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 20)
    before = drawn(page)
    page.mouse.wheel(0, -100)
    page.wait_for_function("document.getElementById('paper').dataset.start > 0")
    start, end = seen(page)
    assert end - start == pytest.approx(4 * np.exp(-0.22), abs=0.002)
    assert start / (4 - end) == pytest.approx(3, rel=0.05)  # what was pointed at stays
    assert drawn(page) != before
    page.mouse.wheel(0, 100)
    page.wait_for_function("document.getElementById('paper').dataset.end == 4")
    assert seen(page) == (0, 4)


def test_dragging_moves(page):
    canvas = page.locator("#paper")
    canvas.focus()
    page.keyboard.press("+")
    start, _ = seen(page)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 20)
    page.mouse.up()
    moved = 100 / box["width"] * 4 * 0.7
    assert seen(page)[0] == pytest.approx(start + moved, abs=0.01)


def test_all_of_it_works_by_keyboard(page):
    page.locator("#record").focus()
    first = drawn(page)
    page.keyboard.press("ArrowDown")
    second = drawn(page)
    assert second != first
    page.keyboard.press("Tab")  # previous
    page.keyboard.press("Tab")  # next
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    third = drawn(page)
    assert third != second
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert drawn(page) != third
    for _ in range(6):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "paper"
    page.keyboard.press("+")
    start, end = seen(page)
    assert (start, end) == pytest.approx((0.6, 3.4))
    page.keyboard.press("ArrowRight")
    assert seen(page) == pytest.approx((1.16, 3.96), abs=0.002)
    page.keyboard.press("Home")
    assert seen(page)[0] == 0
    page.keyboard.press("-")
    assert seen(page) == (0, 4)
    label = page.locator("#paper").get_attribute("aria-label")
    assert "0.00 s to 4.00 s" in label


@pytest.mark.parametrize("width", [390, 1100])
def test_nothing_is_wider_than_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.locator("#paper").bounding_box()
    assert paper["x"] > 0
    assert paper["x"] + paper["width"] <= width


def test_on_paper_all_sections_are_there_and_controls_are_not(page):
    page.emulate_media(media="print")
    for section in page.locator("section").all():
        assert section.is_visible()
        assert section.bounding_box()["height"] > 50
    assert page.locator("#paper").is_visible()
    assert not page.locator("#record").is_visible()
    cut = page.evaluate(
        """[...document.querySelectorAll(".tall")].filter(
          (e) => e.scrollHeight > e.clientHeight + 1).length"""
    )
    assert cut == 0
    assert page.pdf()[:4] == b"%PDF"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(browser, path, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.goto(path.as_uri())
    contrast = page.evaluate(
        """() => {
          const of = (name) => getComputedStyle(document.documentElement)
            .getPropertyValue(name).trim();
          const light = (hex) => {
            const part = (k) => {
              const v = parseInt(hex.slice(k, k + 2), 16) / 255;
              return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
            };
            return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
          };
          const ground = [light(of("--ground")), light(of("--raised"))];
          return ["--ink", "--soft", "--accent"].flatMap((name) => ground.map((b) => {
            const a = light(of(name));
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          }));
        }"""
    )
    page.close()
    assert min(contrast) > 4.5
