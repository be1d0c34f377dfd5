"""The file of a proof: sorted, the same when it is read again, one sentence where it is damaged."""

import json
import math
from pathlib import Path

import msgspec
import pytest

from autograder.artefacts.gaps import Bands, Gaps, SingleBand, figures_of, gaps_from
from autograder.artefacts.proof import (
    SCHEMA,
    CheckProof,
    DefinitionProof,
    Proof,
    Survivor,
    proof_file,
    read_proof,
    write_proof,
)
from autograder.authoring.standard import Standard
from autograder.course import Course
from autograder.errors import SourceError
from tests.small_course import small_course

FAR = Gaps(
    Bands(0.123456, 0.0, 1234567.0),
    Bands(0.0, 0.5, math.inf),
    SingleBand(1.5e-7, math.inf, 2e-3),
    SingleBand(None, math.inf, math.inf),
)
SURVIVOR = Survivor(3, 12, "sign", "return x", "return -x", "f(1)", case='@case("ü")')
PROOF = Proof(
    {
        "b_check": CheckProof("key", {"factor": 4.0}, figures_of(FAR), by_default=True),
        "a_check": CheckProof("other", rejects=("x", "y"), free={"ones": ["b", "a"]}),
    },
    {
        "reference/x.py: f": DefinitionProof(
            ("f",),
            {"b_check": {"sign": 2, "axis": 1}},
            survivors=(SURVIVOR,),
            gaps={"b_check": figures_of(Gaps(Bands(wrong=3.0)))},
            nearest={"b_check": "'x' for 'y'"},
        )
    },
)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return small_course(tmp_path)


def test_a_proof_is_read_as_it_was_written(course: Course) -> None:
    write_proof(course, "small", PROOF)
    assert read_proof(course, "small") == PROOF


def test_infinities_are_read_as_they_were_written(course: Course) -> None:
    write_proof(course, "small", PROOF)
    stored = read_proof(course, "small")
    assert stored is not None
    gaps = gaps_from(stored.checks["b_check"].gaps)
    assert gaps.coarse == FAR.coarse
    assert gaps.single == FAR.single
    assert gaps.zero == FAR.zero
    assert gaps.double == Bands(0.123, 0.0, 1.23e6)
    assert gaps_from(stored.checks["a_check"].gaps) == Gaps()
    assert "null" not in proof_file(course, "small").read_text()


def test_the_file_is_sorted_and_the_same_in_any_order(course: Course) -> None:
    write_proof(course, "small", PROOF)
    first = proof_file(course, "small").read_bytes()
    stored = json.loads(first)
    assert list(stored["checks"]) == ["a_check", "b_check"]
    (definition,) = stored["definitions"].values()
    assert list(definition["killed"]["b_check"]) == ["axis", "sign"]
    turned = dict(reversed(PROOF.checks.items()))
    write_proof(course, "small", msgspec.structs.replace(PROOF, checks=turned))
    assert proof_file(course, "small").read_bytes() == first


def test_a_proof_that_says_nothing_new_is_not_written(course: Course) -> None:
    write_proof(course, "small", PROOF)
    before = proof_file(course, "small").stat().st_mtime_ns
    write_proof(course, "small", PROOF)
    assert proof_file(course, "small").stat().st_mtime_ns == before


def test_an_assignment_without_a_proof_has_none(course: Course) -> None:
    assert read_proof(course, "small") is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"schema": "one"}'])
def test_a_damaged_proof_is_one_sentence(course: Course, data: bytes) -> None:
    proof_file(course, "small").write_bytes(data)
    with pytest.raises(SourceError) as caught:
        read_proof(course, "small")
    text = str(caught.value)
    assert text.startswith("assignments/small/proof.json: it is no proof (")
    assert text.endswith("); take the last good one, or delete it and compile again")
    assert "\n" not in text


def test_a_proof_of_another_schema_is_none(course: Course) -> None:
    other = {"schema": SCHEMA - 1, "checks": {"a": 1}}
    proof_file(course, "small").write_text(json.dumps(other))
    assert read_proof(course, "small") is None


def test_only_what_is_not_the_default_of_a_standard_is_kept() -> None:
    standard = Standard(factor=4.0, single_at_zero=1e-7)
    held = CheckProof("key").holding_to(standard)
    assert held.tolerance == {"factor": 4.0, "single_at_zero": 1e-7}
    assert held.standard == standard
    assert held.holding_to(Standard()).tolerance == {}


def test_the_nearest_wrong_answer_may_be_a_mutant() -> None:
    assert PROOF.gaps_of("b_check").double.wrong == 3.0
    assert PROOF.nearest_to("b_check") == "'x' for 'y'"
    assert PROOF.nearest_to("a_check") is None
