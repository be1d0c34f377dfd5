# expect: earns nothing
# Looks for results, checks and cases in its own process, and gives them full points and no hidden ones.
import gc

from autograder.authoring.checks import Check
from autograder.grading import results, runner, scoring

for item in gc.get_objects():
    if isinstance(item, Check):
        object.__setattr__(item, "cases", ())
        item.points = 0.0
    if isinstance(item, (results.CaseResult, results.Result)):
        item.verdict = item.earned = "passed"
scoring.score_check = lambda entry, cases: results.CheckResult(entry.name, 99, 99, ())
runner.Verdict.FAILED = runner.Verdict.ERRORED = results.Verdict.PASSED
