# expect: earns nothing
# Imports the grader's own modules inside the session and asks them for the answers.
from autograder.audit import leaks, proof
from autograder.authoring.checks import Check, case_rng
from autograder.course import find_course
from autograder.grading import bundle, oracle
from autograder.grading.cases import ReferenceSession

found = [value for value in globals().values() if isinstance(value, Check)]
for check in found:
    for case in check.cases:
        if case.hidden:
            raise LookupError(f"a hidden case: {case}")
course = find_course()
oracle = oracle.load_bundle_oracle(bundle.read_bundle(course.bundle(ASSIGNMENT)))
for name in NAMES:
    globals()[name] = oracle.namespace[name]
