"""A course taken the whole way that docs/nbgrader.md goes, once for all tests; none changes it."""

import json
import os
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.nbgrader_hooks.formgrader import (
    CHROMIUM,
    TOKEN,
    Api,
    Page,
    jupyter_server,
)
from tests.small_course import compiled, made_once, small_proof
from tests.test_pages import ROOT, Said, run_blocks, shell_blocks
from tests.warm.commands import warm

__all__ = ["CHECK", "Journey", "compiled", "environment", "journey", "small_proof", "warm"]

PAGE = "docs/nbgrader.md"
BY_HAND = "## Grade by hand"  # the section behind whose heading somebody sits at formgrader
CHECK = "standard_scores_matches_reference"


@dataclass(frozen=True)
class Journey:
    """What became of a course.

    Attributes:
        home: a folder with the course, the exchange and the folder of the student ada.
        said: what the blocks of the page printed, in order.
        grader: what formgrader showed and said.
    """

    home: Path
    said: list[Said]
    grader: dict[str, str]

    @property
    def course(self) -> Path:
        return self.home / "course"

    @property
    def student(self) -> Path:
        return self.home / "student" / "hw1"

    @property
    def exchange(self) -> Path:
        return self.home / "exchange" / "deep-learning"


def environment(home: Path, *first: Path) -> dict[str, str]:
    """Return the environment of somebody who has this home and the tests' programs.

    Args:
        home: the folder.
        first: where a command is looked for first.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AUTOGRADER_", "JUPYTER_"))}
    path = [*map(str, first), str(Path(sys.executable).parent), os.environ["PATH"]]
    return kept | {"HOME": str(home), "PATH": os.pathsep.join(path)}


def grade_by_hand(address: str, profile: Path) -> dict[str, str]:
    """Do at formgrader what a grader does, in a browser where there is one."""
    api = Api(address)
    seen = {"page": api.page("hw1", "ada")}
    if CHROMIUM is None:
        seen |= by_api(api)
    else:
        with closing(Page(CHROMIUM, profile)) as page:
            seen |= in_browser(page, api)
    seen["collect"] = json.dumps(api.press("assignment/hw1/collect"))
    seen["release_feedback"] = json.dumps(api.press("assignment/hw1/ada/release_feedback"))
    return seen


def by_api(api: Api) -> dict[str, str]:
    api.enter("hw1", "ada", "why", manual_score=1.5, extra_credit=0.5)
    api.enter("hw1", "ada", "why", manual_comment="Name the *gradient*.")
    api.enter("hw1", "ada", CHECK, manual_score=3.0, extra_credit=None)
    return {
        "by": "api",
        "generate": json.dumps(api.press("assignment/hw1/assign")),
        "autograde": json.dumps(api.press("submission/hw1/ada/autograde")),
        "feedback": json.dumps(api.press("assignment/hw1/ada/generate_feedback")),
    }


def in_browser(page: Page, api: Api) -> dict[str, str]:
    def button(path: str, icon: str) -> str:
        page.go(f"{api.address}/{path}", f"document.querySelector('.{icon}')")
        page.click(f".{icon}")
        return page.modal()

    page.go(f"{api.address}/manage_assignments?token={TOKEN}", "document.querySelector('table')")
    seen = {
        "by": "browser",
        "generate": button("manage_assignments", "glyphicon-education"),
        "autograde": button("manage_submissions/hw1", "glyphicon-flash"),
    }
    submission = f"{api.address}/submissions/{api.submission('hw1', 'ada')}/"
    page.go(
        submission, "document.querySelector('#why').placeholder !== undefined && $.active === 0"
    )
    seen["rubric"] = page.run("document.body.innerText")
    for selector, text in (
        ("#why", "1.5"),
        ("#why_extra_credit", "0.5"),
        ("#why-comment", "Name the *gradient*."),
        (f"#{CHECK}", "3"),
    ):
        page.type(selector, text)
        page.until("$.active === 0")
    seen["feedback"] = button("manage_submissions/hw1", "glyphicon-comment")
    return seen


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory, warm: Path) -> Journey:
    def make(root: Path) -> None:
        home = root / "home"
        home.mkdir()
        env = environment(home, warm)
        before = (ROOT / PAGE).read_text(encoding="utf-8").partition(BY_HAND)[0]
        blocks, first = shell_blocks(PAGE), before.count("\n```\n") // 2
        said = run_blocks(home, blocks[:first], env)
        with jupyter_server(home / "course", environment(home)) as address:
            grader = grade_by_hand(address, root / "profile")
        said += run_blocks(home, blocks[first:], env)
        (root / "journey.json").write_text(json.dumps([said, grader]))

    root = made_once(tmp_path_factory, "journey", make)
    said, grader = json.loads((root / "journey.json").read_text())
    return Journey(root / "home", [Said(*one) for one in said], grader)
