"""A student's value that a check cannot use is the student's miss, in a release too."""

from autograder.artefacts.bundle import Cell
from autograder.artefacts.recording import FILE, dump_recording
from autograder.grading.oracle import load_oracle
from autograder.student.recording import record
from autograder.student.self_check import self_check

CHECK = """
from autograder import assert_close, case, check

@check("f", points=1)
@case("a pair", n=3)
def f_gives_a_pair(student, reference, rng, n):
    first, second = student.f(rng.normal(size=n))
    assert_close(first, reference.f(rng.normal(size=n))[0])
"""
RIGHT = "def f(x):\n    return 0 * x, x\n"


def test_a_value_that_cannot_be_unpacked_is_no_fault_of_the_check(tmp_path, monkeypatch):
    oracle = load_oracle([Cell("given", 1, RIGHT + CHECK)], {}, "hw", "hw.py")
    (tmp_path / FILE).write_bytes(dump_recording(record(oracle, "hw"), {}))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec("def f(x):\n    return None\n" + CHECK, names)
    assert "✗ a pair: the check cannot use what the code returned" in repr(
        self_check(names["f_gives_a_pair"])
    )
