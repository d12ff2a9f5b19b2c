"""The built book in a real browser: every page, as a reader meets it."""

import ast
import doctest
import io
import re
from collections import Counter
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import HTML, Record, chromium, open_page, pages, served, settle, window
from PIL import Image
from playwright.sync_api import Page, expect
from pypdf import PdfReader

pytestmark = pytest.mark.browser

PAGES = pages() if HTML.is_dir() else []


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def home():
    with served(HTML) as address:
        yield address


def test_the_book_was_built():
    assert "book/index.html" in PAGES, "there is no built book: run `make book` first"


# A page is opened and typeset once, and all that can be seen of it is checked there: narrow first and from its folder,
# as a copy saved for a train is read; then wide, as when a tablet is turned. (Tests further down read from a server.)
# It opens light, and is darkened as the reader's system would.
# The address is that of a place far down, as a link from elsewhere would have it.
WIDTHS = [390, 1280]
PLACE = re.compile(r'<(?:section(?: class="[^"]*")?|div class="(?:math|proof|exercise)[^"]*") id="([^"]+)"')


class Visit(NamedTuple):
    tab: Page
    record: Record
    landed: str | None  # complaint about where it opened


@pytest.fixture(scope="module")
def opened(browser):
    """The visit to the page that is open, under its name: one page's tests, at all widths, share it."""
    visits = {}
    yield visits
    close(visits)


def close(visits):
    for visit in visits.values():
        visit.tab.context.close()
    visits.clear()


@pytest.fixture
def visit(request, opened, browser):
    page, width = request.param
    if page not in opened:
        close(opened)
        places = PLACE.findall((HTML / page).read_text(encoding="utf8"))
        late = places[3 * len(places) // 4] if places else ""
        # Small photographs will do.
        tab, record = open_page(browser, f"{HTML.as_uri()}/{page}#{late}", width, scale=0.5)
        landed = misplaced(tab, late) if late else "it was opened at no place"
        tab.add_style_tag(content="* { transition: none !important; }")  # no colour half-way to another
        opened[page] = Visit(tab, record, landed)
    if opened[page].tab.viewport_size != window(width):
        opened[page].tab.set_viewport_size(window(width))
    return opened[page]


def visits(pages, widths=WIDTHS):
    """Run a test on these pages; conftest.py has all tests of a page at one width run before those at the next."""
    return pytest.mark.parametrize(
        "visit",
        [
            pytest.param((page, width), id=f"{page}-{width}", marks=pytest.mark.xdist_group(page))
            for page in pages
            for width in widths
        ],
        indirect=True,
    )


def in_both_themes(tab):
    now = tab.evaluate("document.documentElement.dataset.theme")
    for theme in (now, "light" if now == "dark" else "dark"):
        tab.emulate_media(color_scheme=theme)
        tab.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
        yield theme


@visits(PAGES)
def test_all_maths_is_typeset(visit):
    tab = visit.tab
    bare = tab.evaluate("""[...document.querySelectorAll('.math')]
        .filter(e => !e.querySelector('.katex')).map(e => e.textContent)""")
    assert not bare
    assert tab.locator(".katex-error").count() == 0


@visits(PAGES)
def test_a_page_fits_its_window(visit):
    tab = visit.tab
    wide, room = tab.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    culprits = tab.evaluate("""[...document.querySelectorAll('article *')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.tagName + '.' + e.className).slice(0, 5)""")
    assert wide <= room, culprits


@visits(PAGES)
def test_a_page_is_light_and_dark(visit):
    """Its top, its middle and its end; whole pages, for people to look at, are photographed by `make sheets`."""
    tab = visit.tab
    for theme in in_both_themes(tab):
        for share in (0, 0.5, 1):
            tab.evaluate("share => scrollTo(0, share * document.documentElement.scrollHeight)", share)
            photograph = Image.open(io.BytesIO(tab.screenshot(type="jpeg"))).convert("L")
            brightness = photograph.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
            assert brightness < 80 if theme == "dark" else brightness > 200


def misplaced(tab, target):
    """What is wrong with where a link to `target` has led: its top is to be in the upper part of the window."""
    top, room, end = tab.evaluate(f"""[document.getElementById('{target}').getBoundingClientRect().top,
        innerHeight, scrollY + innerHeight >= document.documentElement.scrollHeight - 2]""")
    if -2 <= top < room / 3 or (end and 0 <= top < room):
        return None
    return f"#{target} landed {top:.0f} px from the top"


@visits(PAGES)
def test_deep_links_land_where_they_should(visit):
    """Equations, statements, exercises and sections, from elsewhere and within the page."""
    tab, _, landed = visit
    targets = tab.evaluate("""[...document.querySelectorAll(
        "article .math[id], article .proof[id], article .exercise[id], article section[id]")].map(e => e.id)""")
    assert not targets or landed is None, landed
    for target in targets[:: max(1, len(targets) // 4)]:
        tab.evaluate(
            """target => new Promise(resolve => {
                location.hash = '';
                location.hash = target;
                requestAnimationFrame(() => setTimeout(resolve));
            })""",
            target,
        )
        complaint = misplaced(tab, target)
        assert complaint is None, complaint


def of_scripts(record):
    """The problems of a page less those of fetching: to leave it at once breaks off what was on its way."""
    return [problem for problem in record.problems if not problem.startswith("failed:")]


@pytest.mark.parametrize(
    ("page", "width", "hash"),
    [("book/03-two-clocks.html", 1280, True), ("book/api.html", 390, False)],
)
def test_the_reading_place_is_kept(browser, home, page, width, hash):
    """On a reload, at once or later, and on the way back; also where the address names another place."""
    tab, record = open_page(browser, f"{home}/{page}", width)

    def shift(go):
        before = tab.evaluate("scrollY")
        go()
        settle(tab)
        tab.wait_for_load_state("networkidle")
        return abs(tab.evaluate("scrollY") - before)

    if hash:  # that of the second equation
        tab.evaluate("location.hash = document.querySelectorAll('article .math[id]')[1].id")
    tab.evaluate("scrollTo(0, 0.6 * document.documentElement.scrollHeight)")
    assert tab.evaluate("scrollY") > 10_000
    assert shift(tab.reload) < 4, "a reload that comes at once"
    tab.evaluate("scrollBy(0, -3000)")
    tab.wait_for_timeout(300)
    assert shift(tab.reload) < 4
    assert shift(lambda: (tab.goto(f"{home}/book/glossary.html"), tab.go_back())) < 4
    if hash:  # a fresh visit to an address leads to what it names
        place = tab.evaluate("[...document.querySelectorAll('article section[id]')].at(-3).id")
        tab.goto(f"{home}/book/glossary.html")
        tab.goto(f"{home}/{page}#{place}")
        settle(tab)
        assert misplaced(tab, place) is None
    assert not of_scripts(record)
    tab.context.close()


@pytest.mark.parametrize("hash", ["#100%", "#%", "#%E9"])
def test_a_hash_that_is_none_does_no_harm(browser, home, hash):
    tab, record = open_page(browser, f"{home}/book/errata.html{hash}")
    assert tab.locator(".math:not(:has(.katex))").count() == 0
    assert not record.problems
    tab.context.close()


FAILURES = [
    "ResizeObserver = function () { throw Error('planted'); }",  # tab stops
    "Element.prototype.prepend = function () { throw Error('planted'); }",  # titles of proofs
    "JSON.parse = function () { throw Error('planted'); }",  # kept places, the reader's progress
]


@pytest.mark.parametrize("failure", FAILURES)
def test_one_failing_line_does_not_take_the_page_with_it(browser, home, failure):
    """Maths is typeset all the same, and questions are followed."""
    context = browser.new_context()
    context.route(re.compile("(?<!/katex)/(book|progress)[.]js"), lambda route: plant(route, failure))
    tab = context.new_page()
    tab.goto(f"{home}/book/02-near-one-minimum.html")
    settle(tab)
    assert tab.locator(".math:not(:has(.katex))").count() == 0
    assert tab.locator(".exercise-done").count() > 0
    context.close()


def test_one_failing_widget_leaves_the_others(browser, home):
    context = browser.new_context()
    page = "book/01-after-zero-loss.html"
    broken = re.sub(
        r'(<figure class="explore".*?<script[^>]*>)',
        r"\1?",
        (HTML / page).read_text("utf8"),
        count=1,
        flags=re.S,
    )
    context.route(f"**/{page}", lambda route: route.fulfill(body=broken, content_type="text/html"))
    tab = context.new_page()
    tab.goto(f"{home}/{page}")
    settle(tab)
    figure = widgets(tab).nth(1)
    figure.scroll_into_view_if_needed()
    before = state(figure)
    figure.locator("input[type=range]").first.press("ArrowRight")
    changed(tab, figure, before)
    context.close()


def plant(route, failure):
    """Put a line before a script of ours that has one thing fail which it does, and not what others do."""
    script = (HTML / "_static" / route.request.url.split("/")[-1].split("?")[0]).read_text(encoding="utf8")
    route.fulfill(body=f"{failure};\n{script}", content_type="text/javascript")


INTO_FOLDS = """[...document.querySelectorAll("article .toggle-hidden [id], article details:not([open]) [id]")]
    .filter(e => e.matches(".math, .proof, section, figure, span, a, div") && !e.closest(".katex")
        && !e.closest(".admonition-title"))
    .map(e => e.id)"""


def test_a_link_into_a_fold_opens_it(browser, home):
    """From elsewhere, from the page itself, and once more after the reader has closed the fold."""
    address = f"{home}/book/04-katzenberger.html"
    tab, record = open_page(browser, address)
    inside = tab.evaluate(INTO_FOLDS)
    equation = next(name for name in inside if name.startswith("equation-"))
    shown = "place => document.getElementById(place).checkVisibility({visibilityProperty: true})"
    for place in (
        inside[-1],
        equation,
        equation,
    ):  # the last one is a citation: to it the bibliography links back
        assert not tab.evaluate(shown, place)
        tab.evaluate(
            """place => {
                const link = document.createElement("a");
                link.href = "#" + place;
                document.querySelector("article").prepend(link);
                link.click();
                link.remove();
            }""",
            place,
        )
        assert tab.evaluate(shown, place)
        assert misplaced(tab, place) is None
        tab.evaluate(
            """place => {
            const around = document.getElementById(place).closest(".toggle, details");
            if (around.matches("details")) around.open = false;
            else around.querySelector(".toggle-button").click();
        }""",
            place,
        )
        assert not tab.evaluate(shown, place)
    tab.evaluate("place => (location.hash = '', location.hash = place)", place)
    tab.wait_for_function(shown, arg=place)
    tab.goto(f"{home}/book/glossary.html")
    tab.goto(f"{address}#{place}")
    settle(tab)
    assert tab.evaluate(shown, place)
    assert misplaced(tab, place) is None
    assert not of_scripts(record)
    tab.context.close()


def test_a_search_opens_the_folds_that_hold_what_it_found(browser, home):
    tab, _ = open_page(browser, f"{home}/book/02-near-one-minimum.html")
    word = tab.evaluate(r"""() => {
        const text = [...document.querySelectorAll("article .solution p")].map(e => e.textContent).join(" ");
        const outside = document.querySelector("article").cloneNode(true);
        outside.querySelectorAll(".solution").forEach(e => e.remove());
        const others = outside.textContent.toLowerCase();
        return text.toLowerCase().match(/\b[a-z]{7,}\b/g).find(word => !others.includes(word));
    }""")
    tab.goto(f"{home}/search.html?q={word}")
    tab.locator("#search-results a[href*='02-near-one-minimum']").first.click()
    tab.wait_for_url("**/02-near-one-minimum.html*")
    settle(tab)
    found = tab.locator("article .highlighted")
    assert found.count() > 0, word
    assert all(mark.is_visible() for mark in found.all())
    tab.context.close()


COPIED = """() => {
    let copied;
    document.addEventListener("copy", () => (copied = getSelection().toString() || document.activeElement.value));
    return [...document.querySelectorAll("article .copybtn")].map(button => {
        copied = null;
        button.click();
        return [button.previousElementSibling.textContent, copied];
    });
}"""


@pytest.mark.parametrize(
    "page", ["book/api.html", "book/02-near-one-minimum.html", "book/reproducibility.html"]
)
def test_what_a_button_copies_runs(browser, home, page):
    """It has no prompt and no output, and there is no button at what is only shown."""
    tab, _ = open_page(browser, f"{home}/{page}")
    tab.wait_for_function("() => Boolean(window.ClipboardJS)")
    tab.wait_for_timeout(300)  # so long the extension waits for that before it looks again
    pairs = tab.evaluate(COPIED)
    assert len(pairs) > 20 or page == "book/reproducibility.html"
    assert tab.locator(".output .copybtn, .highlight-text .copybtn").count() == 0
    for shown, copied in pairs:
        examples = doctest.DocTestParser().get_examples(shown)
        wanted = "".join(example.source for example in examples) if examples else shown
        assert [line for line in copied.splitlines() if line.strip()] == [
            line for line in wanted.splitlines() if line.strip()
        ]
        ast.parse(re.sub("^[%!].*$", "", copied, flags=re.MULTILINE))
    tab.context.close()


@visits(PAGES)
def test_what_scrolls_can_be_reached_from_the_keyboard(visit):
    """Boxes of code and of output that scroll are stops of the Tab key and no others, folded code once it is open."""
    wrong = visit.tab.evaluate("""async () => {
        const folded = [...document.querySelectorAll("article details:not([open])")];
        const drawn = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
        const wrong = [];
        for (const open of [false, true, false]) {
            for (const part of folded) part.open = open;
            await drawn();
            wrong.push(...[...document.querySelectorAll("article pre, article .cell_output > .output")]
                .filter(box => box.checkVisibility())
                .filter(box => (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight)
                    !== (box.tabIndex === 0))
                .map(box => box.textContent.slice(0, 60)));
        }
        return wrong;
    }""")
    assert not wrong


def test_every_script_and_font_is_on_the_page_of_licences():
    listed = (HTML / "book" / "licences.html").read_text(encoding="utf8")
    static = HTML / "_static"
    for file in [path for kind in ("*.js", "*.woff*", "*.ttf") for path in static.rglob(kind)]:
        name = file.relative_to(static).as_posix()
        folders = [f"{parent}/" for parent in map(str, file.relative_to(static).parents)]
        assert any(f">{known}<" in listed for known in (name, *folders)), (
            f"{name} is not listed in book/licences.md"
        )


def widgets(tab):
    return tab.locator("figure.explore")


PICTURE = "figure => figure.querySelector('.explore-above')?.toDataURL() ?? ''"


def state(figure):
    """What the reader sees of a widget: its picture, once she has touched it, and the sentence."""
    return figure.evaluate(PICTURE), figure.locator(".explore-sentence").inner_text()


def changed(tab, figure, before):
    """Wait until both the picture and the sentence differ from `before`."""
    tab.wait_for_function(
        f"""([figure, picture, text]) => ({PICTURE})(figure) !== picture
            && figure.querySelector('.explore-sentence').innerText !== text""",
        arg=[figure.element_handle(), *before],
        timeout=5000,
    )


def touched(figure):
    """A widget that has its data: its first picture is drawn."""
    figure.locator("input, select").first.focus()
    figure.locator(".explore-drawn").wait_for()
    return figure


WITH_WIDGETS = [
    page for page in PAGES if 'figure class="explore"' in (HTML / page).read_text(encoding="utf8")
]


def test_there_are_widgets_to_test():
    assert "book/index.html" in WITH_WIDGETS
    assert "book/01-after-zero-loss.html" in WITH_WIDGETS


@visits(WITH_WIDGETS)
def test_every_widget_moves_by_keyboard_and_by_pointer(visit):
    tab = visit.tab
    for number in range(widgets(tab).count()):
        figure = touched(widgets(tab).nth(number))
        for ranged in figure.locator("input[type=range]").all():
            before = state(figure)
            ranged.focus()
            tab.keyboard.press(
                "ArrowLeft" if ranged.input_value() == ranged.get_attribute("max") else "ArrowRight"
            )
            changed(tab, figure, before)
            before = state(figure)
            box = ranged.bounding_box()
            fraction = 0.1 if float(ranged.input_value()) > float(ranged.get_attribute("max")) / 2 else 0.9
            tab.mouse.click(box["x"] + fraction * box["width"], box["y"] + box["height"] / 2)
            changed(tab, figure, before)
        for select in figure.locator("select").all():
            before = state(figure)
            select.focus()
            last = select.evaluate("e => e.selectedIndex === e.length - 1")
            there, back = ("ArrowUp", "ArrowDown") if last else ("ArrowDown", "ArrowUp")
            tab.keyboard.press(there)
            changed(tab, figure, before)
            tab.keyboard.press(back)
            expect(figure.locator(".explore-sentence")).to_have_text(before[1])
            assert state(figure) == before
        if (throw := figure.locator(".explore-throw")).count():
            before = state(figure)
            throw.press("Enter")
            changed(tab, figure, before)


@visits(WITH_WIDGETS, WIDTHS[1:])
def test_a_widget_can_be_dragged_and_played(visit):
    tab = visit.tab
    for number in range(widgets(tab).count()):
        figure = touched(widgets(tab).nth(number))
        if figure.locator(".explore-play").count():
            before = state(figure)
            figure.locator(".explore-play").click()
            changed(tab, figure, before)
            figure.locator(".explore-play").click()
        pad = figure.locator(".explore-pad")
        if pad.count():
            before = state(figure)
            box = pad.bounding_box()
            middle = box["y"] + box["height"] / 2
            tab.mouse.move(box["x"] + 0.2 * box["width"], middle)
            tab.mouse.down()
            tab.mouse.move(box["x"] + 0.95 * box["width"], middle, steps=4)
            tab.mouse.up()
            changed(tab, figure, before)


@visits(PAGES)
def test_a_page_asked_no_other_host_and_had_no_error(visit):
    """After all that was done to it above."""
    tab, record, _ = visit
    tab.evaluate("scrollTo(0, document.body.scrollHeight)")
    tab.wait_for_load_state("networkidle")
    assert not record.outside(HTML.as_uri())
    assert not record.problems


# Without the lists of all that is well, and without asking for the style sheets again.
QUICKLY = {"resultTypes": ["violations"], "preload": False}
ALL_BUT_CONTRAST = QUICKLY | {"rules": {"color-contrast": {"enabled": False}}}
CONTRAST = QUICKLY | {"runOnly": ["color-contrast"]}


def grave(tab, options):
    found = Axe().run(tab, options=options).response["violations"]
    return [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]][:3])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


@visits(["book/01-after-zero-loss.html", "book/api.html", "book/ledger.html", "search.html"], WIDTHS[1:])
def test_no_page_lacks_a_rule_of_a_style_sheet(visit):
    """Rules that are not in the one sheet of the book ask for nothing that is on the page; Chromium reads the rules."""
    whole = [
        path.read_text(encoding="utf8")
        for path in (HTML / "_static").rglob("*.css")
        if path.name != "all.css"
    ]
    kept = (HTML / "_static" / "all.css").read_text(encoding="utf8")
    left_out, lacking = visit.tab.evaluate(
        r"""([whole, kept]) => {
            const selectors = css => {
                const sheet = new CSSStyleSheet();
                sheet.replaceSync(css.replace(/@import[^;]*;/g, ""));
                const of = rules => [...rules].flatMap(rule =>
                    rule.selectorText?.split(/,(?![^(]*\))/).map(one => one.trim()) ?? of(rule.cssRules ?? []));
                return of(sheet.cssRules);
            };
            const there = new Set(selectors(kept));
            const left = whole.flatMap(selectors).filter(selector => !there.has(selector));
            const state = "hover|focus(-\\w+)?|active|checked|disabled|before|after|target";
            const passing = new RegExp(`::[\\w-]+|:not\\([^()]*\\)|:(${state})(?![\\w-])`, "g");
            const still = selector => selector.replace(passing, ":not(none)");
            return [left.length, left.filter(selector => document.querySelector(still(selector)))];
        }""",
        [whole, kept],
    )
    assert left_out > 1000  # most of Bootstrap, and of Font Awesome
    assert not lacking


@visits(PAGES, WIDTHS[1:])
def test_axe_finds_nothing_serious(visit):
    tab = visit.tab
    # A formula is thousands of elements, all of them KaTeX's: to axe it is a word. Of code in colours it sees
    # one word of each, and code in a line is one piece of text, not one a word.
    tab.evaluate("""() => {
        const seen = new Set(), colours = document.querySelectorAll(".highlight span[class]");
        document.querySelectorAll("span.math, .katex-display").forEach(e => e.replaceWith("formula"));
        document.querySelectorAll("code.literal").forEach(e => e.replaceChildren(e.textContent));
        colours.forEach(e => seen.has(e.className) ? e.replaceWith(e.textContent) : seen.add(e.className));
    }""")
    assert not grave(tab, ALL_BUT_CONTRAST)
    # Of texts that look alike one shows whether it can be read: style sheets tell elements apart by tag, class and
    # own style, and in tables odd rows from even ones.
    tab.evaluate("""() => {
        const looks = new Map([[document, ""]]), seen = new Set();
        const look = e => {
            if (!looks.has(e)) {
                const row = e.tagName === "TR" ? [...e.parentElement.children].indexOf(e) % 2 : "";
                const own = [e.tagName, e.getAttribute("class"), e.getAttribute("style"), row].join();
                looks.set(e, look(e.parentNode) + ">" + own);
            }
            return looks.get(e);
        };
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const text = texts.currentNode;
            if (!text.data.trim() || text.parentElement.closest("script, style")) continue;
            if (seen.has(look(text.parentElement))) text.data = "";
            seen.add(look(text.parentElement));
        }
    }""")
    for theme in in_both_themes(tab):
        assert not grave(tab, CONTRAST), theme


def test_a_page_whose_frames_are_missing_says_so_and_goes_on(browser, home):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.route("**/_frames/**", lambda route: route.abort())
    tab = context.new_page()
    tab.goto(f"{home}/book/01-after-zero-loss.html")
    settle(tab)
    figure = widgets(tab).first
    figure.scroll_into_view_if_needed()
    problem = figure.locator(".explore-problem")
    problem.wait_for()
    tab.wait_for_function("e => e.textContent.includes('not there')", arg=problem.element_handle())
    figure.locator("input[type=range]").first.focus()
    tab.keyboard.press("ArrowRight")
    expect(figure.locator(".explore-sentence")).to_have_text("")  # nothing is said of what is not shown
    assert tab.locator(".quiz").count() > 0
    context.close()


@pytest.fixture(scope="module")
def chapter(browser, home):
    """Chapter 1, which the next tests share."""
    tab, _ = open_page(browser, f"{home}/book/01-after-zero-loss.html")
    yield tab
    tab.context.close()


def test_quizzes_mark_themselves(chapter):
    quizzes = chapter.locator("fieldset.quiz")
    assert quizzes.count() == 3
    for number in range(quizzes.count()):
        quiz = quizzes.nth(number)
        verdicts = []
        for radio in quiz.locator("input[type=radio]").all():
            radio.check()
            visible = [text for text in quiz.locator("p").all() if text.is_visible()]
            assert len(visible) == 1
            verdicts.append(visible[0].inner_text().startswith("Right"))
        assert verdicts.count(True) == 1


def test_code_has_the_colour_that_the_spans_left_out_would_give_it(chapter):
    """See drop_plain_spans in bookbuild."""
    for theme in in_both_themes(chapter):
        colours = chapter.evaluate("""[...document.querySelectorAll(".cell_input pre")].flatMap(pre => {
            const colour = kind => {
                const span = document.createElement("span");
                span.className = kind;
                pre.append(span);
                const shown = getComputedStyle(span).color;
                span.remove();
                return shown;
            };
            return ["", "n", "nn", "p", "w"].map(colour);
        })""")
        assert len(colours) > 50
        assert len(set(colours)) == 1, (theme, set(colours))


def test_a_formula_is_copied_as_tex(chapter):
    copied = chapter.evaluate("""() => {
        const text = document.querySelector("p:has(.math)");
        getSelection().selectAllChildren(text);
        const event = new ClipboardEvent("copy", { clipboardData: new DataTransfer(), bubbles: true });
        text.dispatchEvent(event);
        getSelection().empty();
        return event.clipboardData.getData("text/plain");
    }""")
    assert re.search(r"\$[^$]+\$", copied), copied


def test_the_downloaded_chapter_is_offered_and_there(chapter, home):
    address = chapter.locator("a.btn-download-notebook-button").get_attribute("href")
    answer = chapter.request.get(f"{home}/book/{address}")
    assert answer.ok
    assert any("labnoise" in "".join(cell["source"]) for cell in answer.json()["cells"])
    everything = chapter.locator("a.btn-download-all-button").get_attribute("href")
    assert chapter.request.get(f"{home}/book/{everything}").body().startswith(b"PK")


def test_no_link_of_the_page_furniture_leads_nowhere(chapter, home):
    """Header and side bar: links stay in the book, or go to the book's own repository."""
    furniture = ".bd-sidebar a, .article-header-buttons a, .bd-header a"
    links = chapter.evaluate(f"[...document.querySelectorAll('{furniture}')].map(a => a.href)")
    for link in links:
        assert "executablebooks" not in link
        if link.startswith(home):
            assert chapter.request.get(link).ok, link


class Anchors(HTMLParser):
    """The links of a page, and the places in it that a link can lead to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places, self.ids = set(), {""}, []
        self.feed(path.read_text(encoding="utf8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.places.update(found[name] for name in ("id", "name") if found.get(name))
        self.ids += [found["id"]] if found.get("id") else []
        self.links.update(found[name] for name in ("href", "src") if found.get(name))


def test_every_internal_link_and_anchor_resolves():
    places = {path: Anchors(path) for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts}
    assert len(places) > 20
    for page, anchors in places.items():
        # The theme has the box for a search twice on the page of its results.
        repeated = {name for name, times in Counter(anchors.ids).items() if times > 1}
        assert not repeated or page.name == "search.html", f"{page.name}: {repeated} twice"
        for link in anchors.links:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = (page.parent / unquote(address.path)).resolve() if address.path else page
            assert target.exists(), f"{page.name} links to {link}, which is not there"
            if target in places:
                assert unquote(address.fragment) in places[target].places, f"{page.name} links to {link}"


EXERCISE = re.compile(
    r'<div class="exercise[^"]*" id="([^"]+)">\s*'
    r'<p class="admonition-title"><span class="caption-number">([^<]*)</span>'
)
TO_EXERCISE = re.compile(r'<a class="reference internal" href="[^"#]*#(ex-\d+-\d+)">(.*?)</a>', re.DOTALL)


def test_an_exercise_has_the_number_of_its_label():
    """A reader's kept answers go by these numbers; Sphinx would count, and a withdrawn exercise would move them."""
    stated, referred = Counter(), 0
    for page in PAGES:
        text = (HTML / page).read_text(encoding="utf8")
        for label, title in EXERCISE.findall(text):
            assert title.strip() == f"Exercise {label.removeprefix('ex-').replace('-', '.')}", (
                f"{page}: {label}"
            )
            stated[label] += 1
        for label, shown in TO_EXERCISE.findall(text):
            words = re.sub("<[^>]*>", "", shown)
            if re.search(r"\d+\.\d+", words):  # others show its title
                assert words.split()[-1] == label.removeprefix("ex-").replace("-", "."), f"{page}: {words}"
                referred += 1
    assert len(stated) > 50
    assert set(stated.values()) == {1}
    assert referred > 10


def test_progress_is_remembered_and_forgotten(browser, home):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.goto(f"{home}/book/01-after-zero-loss.html")
    settle(tab)
    tab.locator("fieldset.quiz .wrong input").first.check()
    tab.locator("fieldset.quiz .right input").first.check()
    tab.locator(".exercise-done input").nth(1).check()
    tab.reload()
    settle(tab)
    assert tab.locator("fieldset.quiz .right input").first.is_checked()
    assert [box.is_checked() for box in tab.locator(".exercise-done input").all()][:3] == [False, True, False]
    tab.goto(f"{home}/book/index.html")
    lines = tab.locator(".chapter-progress")
    expect(lines).to_have_count(sum(bool(re.match(r"book/\d\d-", page)) for page in PAGES))
    expect(lines.first).to_contain_text("1 of 3 questions, 1 of ")
    expect(lines.nth(1)).to_contain_text("0 of 3 questions, 0 of ")
    tab.locator(".progress-reset").click()
    expect(lines.first).to_contain_text("0 of 3 questions, 0 of ")
    tab.reload()
    expect(lines.first).to_contain_text("0 of 3 questions, 0 of ")
    expect(tab.locator(".progress-reset")).to_be_hidden()
    context.close()


def test_progress_without_storage(browser, home):
    """A browser that forbids storage: the page works and has no error."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    tab = context.new_page()
    errors = []
    tab.on("pageerror", lambda error: "progress" in str(error.stack) and errors.append(str(error)))
    tab.goto(f"{home}/book/01-after-zero-loss.html")
    tab.locator(".exercise-done input").first.check()
    tab.locator("fieldset.quiz .right input").first.check()
    assert not errors
    context.close()


def test_a_chapter_prints_with_everything_open(chapter, tmp_path):
    chapter.wait_for_load_state("networkidle")
    first = chapter.locator("div.solution").first.evaluate("e => e.parentElement.tagName")
    paper = chapter.pdf(path=tmp_path / "chapter.pdf", format="A4", print_background=True)
    assert (
        chapter.locator("div.solution").first.evaluate("e => e.parentElement.tagName") == first
    )  # back in its place
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages]
    text = "\n".join(pages)
    assert "Show the code" not in text
    assert "Copy this setting" not in text
    assert re.search(r"With label noise at η = .* \d+ steps", text), "the sentence under a widget"
    solutions = next(
        number for number, page in enumerate(pages) if re.search(r"^Solutions$", page, re.MULTILINE)
    )
    assert solutions >= len(pages) - 4
    assert "whose columns add up to zero" in "".join(pages[solutions:]).replace("\n", " ")
