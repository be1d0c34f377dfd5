"""The household: pages and their links, the site, the hooks and CI say what is so."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import autograder

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "docs" / "site"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def listed_in_the_site():
    """Return the files that the tables of contents list, by their paths in the repository."""
    named = re.findall(r"^   .*<(\S+)>$", text_of("docs/site/index.rst"), re.MULTILINE)
    for name in named:
        page = ROOT / f"{name[1:]}.md" if name.startswith("/") else SITE / f"{name}.rst"
        yield page.relative_to(ROOT).as_posix()


def headings(path):
    """Return the anchors that a forge gives to the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", text_of(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_site_lists_every_page_once():
    pages = {page.relative_to(ROOT).as_posix() for page in PAGES}
    pages |= {page.relative_to(ROOT).as_posix() for page in SITE.glob("*.rst")}
    assert Counter(listed_in_the_site()) == Counter(pages - {"docs/site/index.rst"})


def test_the_reference_has_every_name_that_authors_import():
    named = re.findall(r"^\.\. auto\w+:: (\w+)$", text_of("docs/site/authors.rst"), re.MULTILINE)
    assert sorted(named) == sorted(autograder.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text_of(page))):
        if re.match(r"https?://", link):
            continue
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), link
        assert not heading or heading in headings(target), link


def test_ci_runs_every_python_that_is_promised():
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    promised = [c.rpartition(" ")[2] for c in project["classifiers"] if "Python :: 3." in c]
    matrix = re.search(r"python: \[(.*)\]", text_of(".github/workflows/ci.yml"))[1]
    assert re.findall(r'"(3\.\d+)"', matrix) == promised
    assert project["requires-python"] == f">={promised[0]}"
    for page in ("README.md", "docs/operators.md"):
        assert f"CI tests {promised[0]} to {promised[-1]}" in text_of(page), page


def test_a_commit_is_held_to_what_make_lint_holds():
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", text_of("Makefile"), re.MULTILINE)[1]
    hooks = re.findall(r"entry: \.venv/bin/(.*)", text_of(".pre-commit-config.yaml"))
    tools = [" ".join(re.findall(r"\b(?:ruff (?:check|format)|mypy)\b", line)) for line in hooks]
    wanted = re.findall(r"\$\(BIN\)/(ruff check|ruff format|mypy)", lint)
    assert tools == wanted
    assert len(lint.splitlines()) == len(wanted)


def test_no_workflow_of_this_repository_uploads_anything_or_may_write():
    """Those that start by themselves; what grades a class is for a private repository."""
    for name in ("ci.yml", "nightly.yml"):
        workflow = ROOT / ".github" / "workflows" / name
        text = text_of(workflow)
        assert "upload" not in re.sub(r"#.*", "", text), workflow.name
        assert "permissions:\n  contents: read\n" in text, workflow.name
        assert text.count("permissions:") == 1, workflow.name
