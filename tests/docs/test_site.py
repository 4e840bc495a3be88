"""The site in a browser: pages render, the search finds, all fits a phone.

The site is built in a quick form, without running the lessons; the variable
SK_ERTS_SITE names one that is there already.
"""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("sphinx")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.slow,  # the reference alone has two hundred pages to build
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
TOP_LEVEL = [*(page.stem for page in PAGES), "api", "auto_examples/index"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of the built site."""
    if "SK_ERTS_SITE" in os.environ:
        return Path(os.environ["SK_ERTS_SITE"])
    place = tmp_path_factory.mktemp("site")
    # A build writes beside its sources, too.
    for part in ("docs", "examples"):
        made = shutil.ignore_patterns("_build", "auto_examples", "generated")
        shutil.copytree(ROOT / part, place / part, ignore=made)
    command = ["-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    finished = subprocess.run(
        [sys.executable, *command, "-D", "plot_gallery=0", "docs", "site"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return place / "site"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address(folder):
    """Return the address at which the site is served."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, address):
    """Return a function that opens a page, and the errors that it has told."""
    contexts = []

    def opened(name, size):
        context = browser.new_context(viewport=size)
        contexts.append(context)
        # What lies elsewhere (the formulas' script) is not looked for.
        context.route(
            lambda url: not url.startswith(address),
            lambda route: route.fulfill(status=200, body=""),
        )
        page = context.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda told: errors.append(told.text) if told.type == "error" else None,
        )
        page.goto(f"{address}/{name}")
        return page, errors

    yield opened
    for context in contexts:
        context.close()


def images_that_failed(page):
    return page.evaluate(
        "Array.from(document.images).filter(one => one.complete && !one.naturalWidth)"
        ".map(one => one.getAttribute('src'))"
    )


def too_wide(page):
    """Return what reaches beyond the right edge and does not scroll by itself."""
    return page.evaluate(
        """() => {
          // The theme lets the article scroll as a whole, which counts as well.
          const box = document.querySelector(".bd-article-container");
          const wide = [document.documentElement, box].some(
            one => one.scrollWidth > one.clientWidth + 1
          );
          if (!wide) return [];
          const edge = box.getBoundingClientRect().right + 1;
          return Array.from(document.querySelectorAll("article *"))
            .filter(one => one.getBoundingClientRect().right > edge)
            .slice(0, 5)
            .map(one => one.tagName + ": " + one.textContent.trim().slice(0, 60))
            .concat([`box is ${box.scrollWidth} for ${box.clientWidth}`]);
        }"""
    )


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_a_page_renders_and_fits_a_phone(opened, name):
    page, errors = opened(f"{name}.html", DESK)
    assert page.locator("article h1").first.inner_text()
    assert images_that_failed(page) == []
    assert too_wide(page) == []
    page.set_viewport_size(PHONE)
    assert too_wide(page) == []
    assert errors == []


def test_wide_tables_scroll_in_their_own_box(opened):
    page, _ = opened("models.html", PHONE)
    inside, outside = page.evaluate(
        """() => {
          const box = document.querySelector("article table").parentElement;
          return [box.scrollWidth, box.clientWidth];
        }"""
    )
    assert inside > outside


@pytest.mark.parametrize(
    ("word", "page_of_it"),
    [("rehearsal", "differences.html"), ("read_muse_xml", "read_muse_xml.html")],
)
def test_the_search_finds_a_word(opened, word, page_of_it):
    page, errors = opened(f"search.html?q={word}", DESK)
    results = page.locator("#search-results li a")
    results.first.wait_for(timeout=30_000)
    page.wait_for_function(
        "document.querySelector('#search-results h2')?.textContent.length > 0"
    )
    found = results.evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert any(page_of_it in link for link in found)
    assert errors == []


def test_all_groups_are_beside_a_page(opened):
    page, _ = opened("own_policy.html", DESK)
    side = page.locator(".bd-sidebar-primary")
    captions = side.locator("p.caption").all_inner_texts()
    assert captions[:3] == ["Start", "User guide", "Reference"]
    assert side.locator("a[aria-current=page]").get_attribute("href") == "#"


def test_a_phone_opens_the_pages_by_a_button(opened):
    page, _ = opened("choosing.html", PHONE)
    link = page.locator(".bd-sidebar-primary a", has_text="Glossary")
    assert not link.is_visible()
    page.locator(".primary-toggle").first.click()
    page.locator("a:visible", has_text="Glossary").first.wait_for()
