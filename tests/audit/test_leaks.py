"""The last guard: whatever is hidden of an assignment is found in a release, wherever it lies."""

import base64
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.artefacts.bundle import parse_bundle
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.recording import FILE
from autograder.audit.leaks import Secret, find_leaks, secrets_of
from autograder.compiler.build import build
from autograder.grading.oracle import load_bundle_oracle
from tests.small_course import small_course

NOTEBOOK = "small.ipynb"
# Each kind of secret, and how somebody may give it away.
SECRETS = {
    "the hidden case 'many numbers, hidden' of check": "Try 'many numbers, hidden' too.",
    "the values of hidden case 'many numbers, hidden' of check": "with n = 40, scale = 12345.5",
    "the hint of check": "Remember: mind the default of the factor!",
    "the mistake 'the factor is forgotten altogether'": "the factor is forgotten altogether",
    "the alternative 'scale first, add up afterwards'": "scale first, add up afterwards",
    "a line of the alternative 'scale first, add up afterwards'": "return (factor * x).sum()",
    "a line of the solution of solution_scaled_sum ('total = x.sum()')": "total = x.sum()",
    "a line of the solution of solution_choice": "choice = 'the second of two choices'",
    "a line of the example answer or rubric": (
        "The example answer says that addition commutes with scaling."
    ),
}
SOLUTION = "total = x.sum()"


@dataclass(frozen=True)
class Compiled:
    """A release that holds nothing hidden, and what it must not hold."""

    release: dict[str, bytes]
    secrets: list[Secret]
    oracle: Oracle

    def leaks(self, files: dict[str, bytes]) -> list[str]:
        """Return what is found in the release with some files changed or added."""
        return find_leaks(self.release | files, self.secrets, self.oracle)

    def leaks_beside(self, change: Callable[[dict[str, Any]], object]) -> list[str]:
        """Return what is found in the release with something done to its notebook."""
        notebook = json.loads(self.release[NOTEBOOK])
        change(notebook)
        return self.leaks({NOTEBOOK: json.dumps(notebook).encode()})


def compile_small(root: Path, *changes: tuple[str, str]) -> Compiled:
    artefacts = build(small_course(root, *changes), "small")
    oracle = load_bundle_oracle(parse_bundle(artefacts.bundle, "small"))
    solution, release = (
        nbformat.reads(data.decode(), as_version=4)
        for data in (artefacts.solution, artefacts.release[NOTEBOOK])
    )
    return Compiled(artefacts.release, secrets_of(oracle, solution, release), oracle)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The small course, with values in its hidden case that are long enough to be told."""
    return compile_small(
        tmp_path_factory.mktemp("course"),
        ("n=3)", "n=3, scale=1.0)"),
        ("n=40)", "n=40, scale=12345.5)"),
        ("rng, n):", "rng, n, scale):"),
    )


def cell(kind: str, text: str, **more: Any) -> Callable[[dict[str, Any]], object]:
    """Return what puts a cell below all others of a notebook."""
    new = {"cell_type": kind, "id": "new", "metadata": {}, "source": text, **more}
    return lambda notebook: notebook["cells"].append(new)


def test_a_clean_release_has_no_leak(compiled: Compiled) -> None:
    assert {FILE, NOTEBOOK, "README.md"} < compiled.release.keys()
    assert any(name.endswith(".whl") for name in compiled.release)
    assert compiled.leaks({}) == []


@pytest.mark.parametrize(("what", "text"), SECRETS.items())
def test_each_kind_of_secret_is_found_in_prose(compiled: Compiled, what: str, text: str) -> None:
    found = compiled.leaks_beside(cell("markdown", f"Some words. {text} And others."))
    number = len(json.loads(compiled.release[NOTEBOOK])["cells"]) + 1
    assert any(
        leak.startswith(f"leak: {what}") and leak.endswith(f" is in {NOTEBOOK}, cell {number}")
        for leak in found
    ), found


@pytest.mark.parametrize(("what", "text"), SECRETS.items())
def test_in_code_only_a_line_of_an_alternative_may_stand(
    compiled: Compiled, what: str, text: str
) -> None:
    found = compiled.leaks_beside(cell("code", f'"""{text}"""', outputs=[]))
    assert bool(found) == (not what.startswith("a line of the alternative"))


def test_a_secret_that_was_wrapped_or_quoted_otherwise_is_one_still(compiled: Compiled) -> None:
    for text in ("total=x . sum(\n)", 'choice   = "the second of\ntwo choices"'):
        assert compiled.leaks_beside(cell("markdown", text)), text


def attached(notebook: dict[str, Any]) -> None:
    content = base64.b64encode(SOLUTION.encode()).decode()
    attachments = {"a.txt": {"text/plain": content}}
    cell("markdown", "![a](attachment:a.txt)", attachments=attachments)(notebook)


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("metadata", lambda notebook: notebook["metadata"].update(note=SOLUTION)),
        ("cell 1, metadata", lambda n: n["cells"][0]["metadata"].update(note=[SOLUTION])),
        ("attachment a.txt", attached),
        (
            "attachment total = x.sum()",
            cell("markdown", "", attachments={SOLUTION: {"text/plain": "no base64"}}),
        ),
        ("cell", lambda n: n["cells"][0].update(source=["total =", " x.sum()\n"])),
    ],
)
def test_every_part_of_a_notebook_is_searched(
    compiled: Compiled, where: str, change: Callable[[dict[str, Any]], object]
) -> None:
    (leak,) = compiled.leaks_beside(change)
    assert leak.startswith("leak: a line of the solution of solution_scaled_sum")
    assert where in leak.partition(" is in ")[2]


@pytest.mark.parametrize("name", ["README.md", "data/notes.txt", "model.bin", FILE + ".old"])
def test_every_file_is_searched(compiled: Compiled, name: str) -> None:
    (leak,) = compiled.leaks({name: b"\xff\x00 " + SOLUTION.encode()})
    assert leak.endswith(f" is in {name}")


def test_a_file_in_the_wheel_that_is_none_of_the_package_is_searched(compiled: Compiled) -> None:
    name = next(name for name in compiled.release if name.endswith(".whl"))
    wheel = BytesIO(compiled.release[name])
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("autograder/notes.py", f"# {SOLUTION}\n")
    (leak,) = compiled.leaks({name: wheel.getvalue()})
    assert leak.endswith(f" is in {name}, autograder/notes.py")


@pytest.mark.parametrize(
    "line", ["from reference.small import choice", "import reference", "  import reference.small"]
)
def test_code_that_imports_the_reference_is_a_leak(compiled: Compiled, line: str) -> None:
    assert "imports the reference" in compiled.leaks_beside(cell("code", line, outputs=[]))[0]
    assert compiled.leaks_beside(cell("markdown", line)) == []


def test_a_recording_that_answers_a_hidden_case_is_a_leak(tmp_path: Path) -> None:
    """A question that asks for a value has one answer in all of its cases."""
    before = '@check("choice", points=1)\n'
    compiled = compile_small(tmp_path, (before, f'{before}@case("seen by everybody")\n'))
    assert compiled.leaks({}) == [
        "leak: the recording has a reply to hidden case 'the right one, hidden' of check "
        "choice_is_right (get choice)"
    ]


def test_what_a_visible_case_shows_is_no_secret(tmp_path: Path) -> None:
    """Neither the name nor the values of a hidden case, where a visible one has them too."""
    compiled = compile_small(
        tmp_path,
        ('"three numbers", n=3)', '"many numbers, hidden, not", n=40, scale=12345.5)'),
        ("n=40)", "n=40, scale=12345.5)"),
        ("rng, n):", "rng, n, scale):"),
    )
    told = {secret.what for secret in compiled.secrets if "many numbers" in secret.what}
    assert told == {"the hidden case 'many numbers, hidden' of check scaled_sum_matches_reference"}


def test_what_is_in_the_stub_or_is_very_short_is_no_secret(tmp_path: Path) -> None:
    body = "    total = x.sum()\n    return factor * total"
    region = f"    ### BEGIN SOLUTION\n    n = 1\n{body}\n    ### END SOLUTION"
    scaffold = "    numbers = np.asarray(x, dtype=float)\n"
    texts = {s.text for s in compile_small(tmp_path, (body, scaffold + region)).secrets}
    assert "returnfactor*total" in texts
    assert not any("np.asarray" in text for text in texts)
    assert all(len(text) >= 12 for text in texts)
