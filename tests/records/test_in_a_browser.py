"""The pages in a real browser, where there is one: nothing cut off, nothing loaded, no error."""

import msgspec
import pytest

from autograder.artefacts.grades import Entered, Late, grade_of
from autograder.artefacts.results import Blank, Status, Verdict
from autograder.records.feedback import write_feedback
from autograder.records.report import write_report
from tests.browser import Browser, find_browser

pytestmark = [
    pytest.mark.skipif(find_browser() is None, reason="there is no Chromium on this machine"),
    pytest.mark.timeout(300),  # a browser starts, on a machine that tests keep busy
]
WIDTHS = (1280, 400)
QUESTIONS = 19
LARGE = 130  # more than a screen has rows for, and ten whose names begin alike
SIZES = (3, LARGE)
LATE = Late(90_000.0, 2.5, "submitted 1 day 1 h late: 10 % of 25 points")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(find_browser(), tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def manifest(make):
    """An assignment of many questions, with long words in their titles."""
    sgd = make.manifest.questions[0]
    questions = [
        msgspec.structs.replace(sgd, id=f"q{n}", title=f"{n // 4 + 1}.{n % 4 + 1} Backpropagation")
        for n in range(QUESTIONS)
    ]
    proof = make.manifest.questions[-1]
    return msgspec.structs.replace(make.manifest, questions=(*questions, proof))


@pytest.fixture(scope="module")
def class_of(make, manifest):
    """Makes the grades of a class of any size, in which everything happens."""

    def question(number, entry):
        slip = make.case(Verdict.FAILED, message="m" * 200, diagnosis="steps uphill", margin=1.2)
        blank = make.case(Verdict.ERRORED, message="not implemented", blank=Blank.STUB)
        case, earned = ((make.case(), 4.0), (slip, 2.75), (blank, 0.0))[number % 7 % 3]
        return msgspec.structs.replace(make.sgd(case, earned=earned), id=entry.id)

    def grade(number):
        student = f"s{number:03}"
        if number % 10 == 2:
            return grade_of(manifest, student, None)
        if number % 10 == 1:
            return grade_of(manifest, student, make.unreadable(student))
        questions = [question(number + n, e) for n, e in enumerate(manifest.questions[:-1])]
        result = make.result(student, *questions, make.proof(), status=Status.PENDING)
        comment = Entered(score=3.5, extra=0.25, comment="Why?\n" + "w" * 300, look="it changed")
        entered = {"proof_answer": comment} if number % 10 == 0 else {}
        return grade_of(manifest, student, result, entered, LATE if number % 3 == 0 else Late())

    return lambda size: {one.student: one for one in map(grade, range(size))}


@pytest.fixture(scope="module")
def pages(tmp_path_factory, manifest, class_of):
    """The pages of a small class and of a large one, by size and name."""
    found = {}
    for size in SIZES:
        folder = tmp_path_factory.mktemp(f"class{size}")
        grades = class_of(size)
        other = msgspec.structs.replace(manifest, assignment="hw2_with_a_long_name")
        names = dict.fromkeys(grades, "Dmitri the Rather Long-Named")
        write_report(folder, "Deep Learning", [(manifest, grades), (other, grades)], names)
        write_feedback(folder / "feedback.html", grades["s000"], manifest, "Deep Learning")
        for name in ("index", "hw1", "feedback"):
            found[size, name] = folder / f"{name}.html"
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["index", "hw1", "feedback"])
@pytest.mark.parametrize("size", SIZES)
def test_a_page_opens_whole_without_an_error_and_without_a_network(
    browser, pages, size, name, width
):
    browser.open(pages[size, name], width)
    for dark in (False, True):
        browser.show(dark)
        assert browser.value("document.documentElement.scrollWidth") <= width, dark
        ground = browser.value("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(22, 22, 24)") is dark
        ink = browser.value(
            "getComputedStyle(document.querySelector('svg text') || document.body).fill"
        )
        assert ink != ground, dark
    assert browser.troubles == []


# Whether the middle of each of the first three cells of the first row is seen.
SEEN = """
[...document.querySelectorAll(".class tbody tr:first-child > :nth-child(-n+3)")].map((cell) => {
  const box = cell.getBoundingClientRect();
  const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return cell.contains(at);
})
"""
# The totals and statuses that are cut off.
CUT = """
[...document.querySelectorAll(".class tr > :is(:nth-child(2), :nth-child(3))")]
  .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent.trim())
"""
SCROLL = """
const box = document.querySelector(".tall");
box.scrollIntoView();
box.scrollLeft = box.scrollWidth;
box.scrollLeft
"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["index", "hw1"])
def test_name_total_and_status_stay_in_sight_when_the_table_is_scrolled(
    browser, pages, name, width
):
    browser.open(pages[LARGE, name], width)
    scrolled = browser.value(SCROLL)
    assert scrolled > 0 or (name, width) == ("index", 1280)
    assert browser.value(SEEN) == [True, True, True]
    assert browser.value(CUT) == []
    inside = browser.value(
        "(() => { const a = document.querySelector('.tall').getBoundingClientRect();"
        "const b = document.querySelector('.class tbody td:nth-child(3)').getBoundingClientRect();"
        "return b.right < a.right - 40; })()"
    )
    assert inside, "there is room for the questions"


SHOWN = """
[...document.querySelectorAll("table.class tbody tr")]
  .filter((row) => !row.hidden).map((row) => row.cells[0].textContent.trim().slice(-4))
"""


def test_the_table_is_searched_filtered_and_sorted(browser, pages):
    browser.open(pages[LARGE, "hw1"])
    assert len(browser.value(SHOWN)) == LARGE
    browser.value(
        "search = document.querySelector('.sheet input'); search.value = 'dmitri S12';"
        "search.dispatchEvent(new Event('input')); 0"
    )
    assert browser.value(SHOWN) == [f"s12{n}" for n in range(10)]
    assert browser.value("document.querySelector('output').value") == f"10 of {LARGE}"
    browser.value(
        "filter = document.querySelector('.sheet select'); filter.value = 'needs attention';"
        "filter.dispatchEvent(new Event('change')); 0"
    )
    assert browser.value(SHOWN) == ["s121"]
    browser.value("search.value = ''; search.dispatchEvent(new Event('input')); 0")
    assert browser.value(SHOWN) == [f"s{n:03}" for n in range(1, LARGE, 10)]
    browser.value("filter.value = ''; filter.dispatchEvent(new Event('change')); 0")
    click = "document.querySelectorAll('.class thead button')[1].click(); 0"
    totals = (
        "[...document.querySelectorAll('.class tbody td:nth-child(2)')].map(c => c.textContent)"
    )
    browser.value(click)
    rising = [text for text in browser.value(totals) if text not in "–!"]
    assert rising == sorted(rising, key=float)
    assert browser.value(totals)[-1] in ("–", "!")
    browser.value(click)
    falling = [text for text in browser.value(totals) if text not in "–!"]
    assert [float(text) for text in falling] == sorted(map(float, rising), reverse=True)
    assert browser.value(totals)[-1] in ("–", "!"), "what is not decided comes last either way"
    assert browser.troubles == []


def test_a_link_of_a_question_jumps_to_its_column(browser, pages):
    browser.open(pages[LARGE, "hw1"], 400)
    browser.value("document.querySelector('a[href=\"#column-19\"]').click(); 0")
    placed = browser.value(
        "(() => { const head = document.querySelector('#column-19').getBoundingClientRect();"
        "const status = document.querySelector('.class thead th:nth-child(3)')"
        ".getBoundingClientRect(); return [status.right, head.left, head.right]; })()"
    )
    assert placed[0] <= placed[1] + 1
    assert placed[2] <= 400


@pytest.mark.parametrize("name", ["index", "hw1", "feedback"])
def test_a_page_prints_with_all_of_its_columns(browser, pages, name):
    browser.open(pages[LARGE, name], 1000, dark=True, media="print")
    wide = "document.querySelector('.page').scrollWidth"
    assert browser.value(wide) <= 1032, "A4 across, less its margins"
    white = browser.value("getComputedStyle(document.body).backgroundColor")
    assert white == "rgb(255, 255, 255)"
    assert browser.pdf().startswith(b"%PDF")
