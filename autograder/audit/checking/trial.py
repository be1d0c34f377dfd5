"""One check on trial: what is run against it, and what is noted of each run."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.gaps import Bands, Gaps, SingleBand
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.checking.calibration import (
    SAFETY,
    beyond,
    is_coarse,
    widest_in,
    wrong_in,
)
from autograder.audit.checking.deciding import fails, flaky, reject_from_afar, rejects
from autograder.audit.checking.earlier import Earlier
from autograder.audit.checking.kind_models import kind_models, may_pass
from autograder.audit.checking.null_models import form_of, null_models, recorded_answers
from autograder.audit.checking.single_precision import measure_single
from autograder.audit.checking.tried import CheckAudit
from autograder.audit.checking.variants import SEEDS, distance, run_perturbed, run_variant
from autograder.authoring.bank import Variant
from autograder.authoring.checks import Case, Check
from autograder.authoring.kinds import Kind, Noted
from autograder.authoring.standard import Compared, Standard
from autograder.grading.cases import drawn_under
from autograder.grading.perturbed import Perturbation, PerturbedSession, perturbations
from autograder.grading.twice import TWO_ANSWERS, gives_two_answers

__all__ = ["FEW", "CheckTrial", "Tell"]

SAMPLES = tuple(f"sample {number}".encode() for number in range(1, 21))
FEW = 5  # seeds, or ways to compute, that are tried in any case
FEWEST = 3  # likewise, of a check that takes long
LONG, LONGER = 0.3, 2.0  # seconds of the processor, after which a few of each are enough
Tell = Callable[[], None]
Run = tuple[list[CaseResult], list[Compared]]


class CheckTrial:
    """A check and what is tried on it: less of a check that takes long.

    It trains a network, say: what it judges after a hundred steps hangs little on the inputs that
    were drawn. Its author has said so by a limit on time, or it is taken for quick. Of an answer
    that takes long itself, less is tried as well.
    """

    def __init__(
        self,
        check: Check,
        oracle: Oracle,
        found: CheckAudit,
        tell: Tell,
        earlier: Earlier | None = None,
    ) -> None:
        self._check, self._oracle, self._found, self._tell = check, oracle, found, tell
        self._earlier = earlier or Earlier()
        self._where = f"check {check.name}"
        self._met: dict[bytes, set[np.dtype[Any]]] = {}  # dtypes of arguments, by seed

    def reference(self, seconds: float = 0.0) -> bool:
        """Require that the reference passes, whatever inputs are drawn; return whether it does.

        Of a check that takes long, fewer are drawn. ``seconds`` is what it has taken before: what
        it asked then takes less now.
        """
        began, runs = time.process_time(), [self._failures(SEEDS[0])]
        took = time.process_time() - began
        self._found.is_long = self._check.seconds is not None and max(took, seconds) > LONG
        fewest = FEWEST if self._found.is_long else FEW
        for seed in (SEEDS + SAMPLES)[1:]:
            if len(runs) >= fewest and time.process_time() - began > LONG:
                break
            runs.append(self._failures(seed))
        if failed := [results for results in runs if results]:
            self._found.reference_passes = False
            share = f" under {len(failed)} of {len(runs)} seeds" if len(failed) < len(runs) else ""
            first = failed[0][0]
            text = f"the reference does not pass case {first.name!r}{share}: {first.message}"
            self._complain_of(first.name, text)
        return self._found.reference_passes

    def right_answers(self, plain: Sequence[Compared]) -> None:
        """Measure how far right answers lie apart; complain of tolerances that refuse some.

        ``plain`` is what is compared where the reference computes as it is.
        """
        right = {False: 0.0, True: 0.0}  # by whether a coarse precision is wanted
        worst: Compared | None = None
        began = time.process_time()
        moves = perturbations()
        for number, (move, dtype) in enumerate(
            islice(moves, FEWEST if self._found.is_long else None)
        ):
            if number >= FEW and time.process_time() - began > LONGER:
                break
            for seed in SEEDS[: 1 if self._found.is_long else 2]:
                if move.dtype is not None and not self._may_meet(move.dtype, seed):
                    continue  # it would compute as the reference does
                for one in self._perturbed(move, seed):
                    if dtype is not None and one.want.dtype != dtype:
                        continue  # what is exact in double is no rounding in single precision
                    if one.own:
                        worst = one if worst is None or one.margin > worst.margin else worst
                    else:
                        self._found.by_default = True
                        right[is_coarse(one)] = max(right[is_coarse(one)], one.margin)
        bands = Bands(right[False]), Bands(right[True])
        is_long, tell = self._found.is_long, self._tell
        single = measure_single(self._check, self._oracle, is_long, tell, plain)
        self._found.notes += single.notes
        self._found.gaps = Gaps(*bands, single.share, single.zero)
        self._found.own_right = worst.margin if worst is not None else 0.0
        if worst is not None and worst.margin * SAFETY > 1.0:
            self._complain(
                f"the tolerance of {worst.what!r} ({worst.tolerance}) is too tight: right answers "
                f"that differ by rounding reach {worst.margin:.2g} of it, and may on other inputs "
                f"reach {SAFETY:g} times as much; widen it, or take better conditioned inputs"
            )

    def variants(self) -> None:
        """Try each mistake of the question; require that each alternative passes; all twice alike.

        A mistake must fail at least one check of its question, so one that passes here is noted.
        """
        bank = self._oracle.bank(self._check)
        for mistake in bank.mistakes:
            self._mistake(mistake)
        alternatives = 0.0
        for alternative in bank.alternatives:
            runs = self._runs(alternative, "alternative")
            self._found.accepts += self._passes(alternative, runs)
            if not any(map(fails, runs[0][0])):
                self._found.passed.add(alternative.label)
            margins = [r.margin for results, _ in runs for r in results if r.margin is not None]
            alternatives = max(alternatives, *(m for m in margins if m <= 1.0), 0.0)
        gaps = self._found.gaps
        # Which precision they are wanted in makes no difference: they pass by the default.
        self._found.gaps = replace(gaps, double=replace(gaps.double, alternatives=alternatives))

    def promised(self) -> None:
        """Require that right answers pass each draw of the domain, cases or not."""
        for result in self._failures(SEEDS[0])[:1]:
            self._complain(f"the reference does not pass {result.name!r}: {result.message}")
        for alternative in self._oracle.bank(self._check).alternatives:
            self._passes(alternative, [self._run(alternative, SEEDS[0])])

    def _mistake(self, mistake: Variant) -> None:
        results, misses = self._run(mistake, SEEDS[0], as_known=True)
        self._keep_failing(misses)
        if any(map(rejects, results)):
            self._found.rejects[mistake.label] = results
            self._keep_off(results, misses, f"the mistake {mistake.title!r}")
        else:
            self._found.passing[mistake.label] = distance(results)

    def is_certain(self, mistake: Variant, first: list[CaseResult] | None) -> bool:
        """Return whether the check rejects a mistake whatever inputs are drawn, and twice alike."""
        begun: Run | None = (first, []) if first else None
        further = partial(self._further, mistake, first) if first else None
        runs = self._runs(mistake, "mistake", begun, further)
        certain = all(any(map(rejects, results)) for results, _ in runs)
        for results, misses in runs[1 if first else 0 :]:  # of that one, all is noted
            self._keep_failing(misses)
            if certain and not (first and reject_from_afar(results, misses)):
                self._keep_off(results, misses, f"the mistake {mistake.title!r}")
        return certain

    def _further(self, mistake: Variant, first: Sequence[CaseResult], seed: bytes) -> Run:
        """Run a mistake under another seed.

        Where some case rejects it from so far off that no tolerance is in question, those that did
        so at first are not run any more.
        """
        cases = {case.name: case for case in self._check.cases}
        far = [cases.pop(one.name) for one in first if reject_from_afar([one], [])]
        results, misses = self._run(mistake, seed, [*cases.values()], as_known=True)
        for case in far:
            if reject_from_afar(results, misses):
                break
            more, missed = self._run(mistake, seed, [case], as_known=True)
            results, misses = results + more, misses + missed
        return results, misses

    def _passes(self, alternative: Variant, runs: Sequence[Run]) -> bool:
        """Return whether an alternative passes, or may by the room for single precision."""
        for results, misses in runs:
            shares = [beyond(one)[0] for one in misses]
            failed = [result for result in results if fails(result)]
            if not failed:
                continue
            text = (
                f"the alternative {alternative.title!r} does not pass case "
                f"{failed[0].name!r}: {failed[0].message}"
            )
            if len(shares) < len(failed) or not all(map(math.isfinite, shares)):
                self._complain(text)
                return False
            self._found.needing.append((max(shares), f"{self._where}: {text}"))
        return True

    def _keep_failing(self, misses: Iterable[Compared]) -> None:
        """Take note of how wide a tolerance may be for each case to fail that fails now."""
        for one in misses:
            self._note_wrong(widest_in(one))

    def _keep_off(
        self, results: Sequence[CaseResult], misses: Sequence[Compared], title: str
    ) -> None:
        """Take note of how wide a tolerance may be for a wrong answer to fail some case."""
        far = distance(results)
        if far < self._found.gaps.within(Standard()).wrong:
            self._found.nearest = title
        self._note_wrong(wrong_in(far, misses))

    def _note_wrong(self, gaps: Gaps) -> None:
        self._found.gaps = self._found.gaps.with_wrong(gaps)

    def null_models(self, names: Sequence[str], kinds: Sequence[Noted]) -> None:
        """Require that no answer without work passes; the check asks for names, in some kinds."""
        oracle, found = self._oracle, self._found
        if not names:
            found.notes.append("no null model was tried: it asks for nothing by its name")
            return
        recorded = recorded_answers(self._check, names, oracle)
        draws = any(noted.kind == Kind.FIGURE for noted in kinds)
        twice = (
            (*null_models(names, oracle, recorded, draws), *kind_models(names, oracle, kinds))
            for _ in range(2)
        )
        for (title, values), (_, anew) in zip(*twice, strict=True):
            results, misses = self._run(Variant(title, dict(values)), SEEDS[0])
            passed = [r.name for r in results if r.verdict is Verdict.PASSED]
            if passed:  # by its value, or by chance
                again, _ = self._run(Variant(title, dict(anew)), SEEDS[0])
                self._compare(results, again, f"null model {title!r}")
            found.null_models += 1
            if len(passed) == len(results) and not may_pass(title):
                said = f"; it answers {form}" if (form := form_of(values)) else ""
                self._complain(f"the null model {title!r} passes every case{said}")
            if passed:
                found.free[title] = passed
            if len(passed) == len(results) and may_pass(title):
                continue  # a guess that is right is no wrong answer
            self._keep_off(results, misses, f"the null model {title!r}")
            for one in misses:  # where values cancel out, nothing is near to them
                self._note_wrong(replace(widest_in(one), single=SingleBand()))

    def _failures(self, seed: bytes) -> list[CaseResult]:
        """Return the cases that the reference does not pass."""
        anew = seed not in SEEDS  # nobody asks for that again
        return [r for r in self._run(Variant("", {}), seed, anew=anew)[0] if fails(r)]

    def _run(
        self,
        variant: Variant,
        seed: bytes,
        cases: Sequence[Case] | None = None,
        anew: bool = False,
        as_known: bool = False,
    ) -> Run:
        """Run a variant, where it is not known; return results, and what cases failed by."""
        misses: list[Compared] = []
        check = self._check if cases is None else self._check.only(cases)
        known = self._earlier.of(check, variant.label, seed) if as_known else {}
        results = run_variant(
            check, variant.values, self._oracle, seed, misses, anew=anew, known=known
        )
        self._tell()
        for one in results:
            if one.verdict is Verdict.BROKEN and variant.title:
                self._complain(f"case {one.name!r} breaks on {variant.title!r}: {one.message}")
        return results, misses

    def _runs(
        self,
        variant: Variant,
        kind: str,
        first: Run | None = None,
        further: Callable[[bytes], Run] | None = None,
    ) -> list[Run]:
        """Run a variant under each seed, and once more under the first; if long under two seeds.

        Args:
            variant: the answer.
            kind: what it is, in words.
            first: of the first seed, if it was run already.
            further: runs it under another seed; nothing runs every case.
        """
        further = further or partial(self._run, variant)
        runs, began = [first or self._run(variant, SEEDS[0])], self._earlier.clock()
        runs.append(further(SEEDS[1]))
        if self._found.is_long or self._earlier.clock() - began > LONG:
            return runs
        runs += map(further, SEEDS[2:])
        again, _ = self._run(variant, SEEDS[0], anew=first is None)  # else by another process
        self._compare(runs[0][0], again, f"{kind} {variant.title!r}", in_one_process=first is None)
        return runs

    def _compare(
        self,
        first: list[CaseResult],
        second: list[CaseResult],
        what: str,
        in_one_process: bool = True,
    ) -> None:
        """Complain of cases that judge the same answer in two ways."""
        for name, text in flaky(first, second, what, in_one_process):
            self._complain_of(name, text)

    def _perturbed(self, move: Perturbation, seed: bytes) -> list[Compared]:
        """Return what is compared where the reference computes a little otherwise."""
        session = PerturbedSession(self._oracle.namespace, move)
        found: list[Compared] = []
        runs = run_perturbed(self._check, session, self._oracle, seed)
        if all(result.verdict is Verdict.PASSED for result, _ in runs):  # each to its end
            self._met.setdefault(seed, session.met)
        for result, compared in runs:
            found += (c for c in compared if c.tolerance.rtol or c.tolerance.atol)
            failed = result.verdict not in (Verdict.PASSED, Verdict.PENDING)
            if failed and distance([result]) == math.inf:
                text = f"case {result.name!r} fails on {move.name}: {result.message}"
                if text not in self._found.notes:
                    self._found.notes.append(text)
        self._tell()
        return found

    def _may_meet(self, dtype: str, seed: bytes) -> bool:
        """Return whether an argument may have numbers of a dtype, as far as runs have told."""
        return seed not in self._met or np.dtype(dtype) in self._met[seed]

    def _complain_of(self, name: str, text: str) -> None:
        """Complain of a case; the reference's two answers to one input explain everything."""
        case = next(case for case in self._check.cases if case.name == name)
        draw = drawn_under(SEEDS[0], self._oracle.assignment)
        two = gives_two_answers(self._oracle, self._check, case, draw)
        self._complain(f"case {name!r}: {TWO_ANSWERS}" if two else text)

    def _complain(self, text: str) -> None:
        complaint = f"{self._where}: {text}"
        if complaint not in self._found.findings:
            self._found.findings.append(complaint)
