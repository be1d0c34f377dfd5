"""Kills: which checks find each mutant out, and which mutants no check does."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.gaps import Gaps
from autograder.artefacts.proof import Draw
from autograder.audit.draws import cover
from autograder.audit.forks import Lost, in_forks
from autograder.audit.mutation.mutants import Mutant, Site
from autograder.audit.mutation.targets import Kill, Range
from autograder.authoring.checks import Check

__all__ = ["Fate", "MutantResult", "try_mutants"]


class Fate(StrEnum):
    """What becomes of a mutant."""

    KILLED = "killed"  # a case that scores does not pass
    EQUIVALENT = "equivalent"  # no trial tells it from the reference
    SURVIVED = "survived"  # it differs, and every case passes


@dataclass(frozen=True)
class MutantResult:
    """A mutant and its fate, as plain data.

    Attributes:
        site: the id of what it is a mutant of.
        number: among the mutants of the site that a check could find out.
        line: of the site's place.
        operator: the class of the mistake.
        title: the mistake as a diagnosis; None where nobody makes just that one.
        before: the lines that it changes, as one.
        after: the same with the mistake.
        killed_by: the check and the case that found it out first.
        margin: how far it is from passing there; None if it differs in more than numbers.
        gaps: from which tolerances on it would pass there.
        difference: for a survivor, an input on which it differs from the reference.
        case: for a survivor, a case as an author writes it, which it would fail.
    """

    site: str
    number: int
    line: int
    operator: str
    title: str | None
    before: str
    after: str
    fate: Fate
    killed_by: tuple[str, str] | None = None
    margin: float | None = None
    gaps: Gaps = field(default_factory=Gaps)
    difference: str | None = None
    case: str | None = None


def try_mutants(
    oracle: Oracle,
    sites: Sequence[Site],
    wanted: Container[str],
    jobs: int,
    progress: Callable[[str], None] = lambda _: None,
    is_explained: Callable[[Mutant], bool] = lambda _: False,
    pools: Mapping[str, Check] | None = None,
) -> tuple[list[MutantResult], dict[str, list[Draw]]]:
    """Derive all mutants of some sites and say of each what becomes of it.

    The result is the same whatever the number of processes.

    Args:
        oracle: with the checks.
        sites: of all answers.
        wanted: the ids of those whose mutants are tried.
        jobs: how many processes there may be.
        progress: is told how far it is.
        is_explained: whether the author has said why a mutant may live; then no case is looked for.
        pools: checks with all draws of their domains, from which cases may be added.

    Returns:
        What becomes of each mutant, and the draws that reject what no other case rejects, by check.
    """
    trials = Range(oracle, sites, wanted, is_explained)
    mutants = [mutant for _, mutant in trials.mutants]
    results = [_result(number, mutant) for number, mutant in trials.mutants]
    kills = in_forks(lambda i, mark: trials.killed_by(mutants[i], mark), len(mutants), jobs)
    for done, (i, killed) in enumerate(kills, 1):
        progress(f"mutants, {done} of {len(mutants)}")
        if isinstance(killed, Lost):
            target = trials.targets(mutants[i].site)[killed.mark]
            killed = Kill(target.check.name, target.case.name)
        if killed is not None:
            results[i] = _killed(results[i], killed)
    alive = [i for i, result in enumerate(results) if result.fate is not Fate.KILLED]
    draws: dict[str, list[Draw]] = {}
    if pools and alive:
        tried = replace(oracle, checks=dict(pools))
        pooled = Range(tried, sites, {results[i].site for i in alive}, is_explained)
        draws = _drawn(pooled, mutants, results, alive, jobs, progress)
        alive = [i for i in alive if results[i].fate is not Fate.KILLED]
    found = in_forks(lambda k, mark: trials.difference(mutants[alive[k]], mark), len(alive), jobs)
    for done, (k, differs) in enumerate(found, 1):
        progress(f"mutants that pass, {done} of {len(alive)}")
        if isinstance(differs, Lost):
            differs = "an input that ends or holds up its process", None
        difference, case = differs
        if difference is not None:
            i = alive[k]
            survived = replace(results[i], fate=Fate.SURVIVED, difference=difference, case=case)
            results[i] = survived
    return results, draws


def _drawn(
    pooled: Range,
    mutants: Sequence[Mutant],
    results: list[MutantResult],
    alive: Sequence[int],
    jobs: int,
    progress: Callable[[str], None],
) -> dict[str, list[Draw]]:
    """Return the draws that find out mutants that no case does; say so in the results."""
    kills: dict[str, dict[tuple[str, str], Kill]] = {}
    places: dict[str, int] = {}  # of the results, by what a mutant is called
    work = in_forks(
        lambda k, mark: pooled.killed_by_each(mutants[alive[k]], mark), len(alive), jobs
    )
    for done, (k, found) in enumerate(work, 1):
        progress(f"mutants that pass, on all draws, {done} of {len(alive)}")
        mutant, result = mutants[alive[k]], results[alive[k]]
        if isinstance(found, Lost):
            target = pooled.targets(mutant.site)[found.mark]
            found = [Kill(target.check.name, target.case.name)]
        title = f"{result.site}: {result.after.strip()!r} for {result.before.strip()!r}"
        title = f"{title} ({result.number})" if title in kills else title
        kills[title] = {(kill.check, kill.case): kill for kill in found}
        places[title] = alive[k]
    draws = cover(kills, pooled.oracle.checks)
    for check, chosen in draws.items():
        for draw in chosen:
            for title in draw.rejects:
                kill = kills[title][check, draw.name]
                results[places[title]] = _killed(results[places[title]], kill)
    return draws


def _killed(result: MutantResult, kill: Kill) -> MutantResult:
    by = kill.check, kill.case
    return replace(result, fate=Fate.KILLED, killed_by=by, margin=kill.margin, gaps=kill.gaps)


def _result(number: int, mutant: Mutant) -> MutantResult:
    return MutantResult(
        mutant.site.id,
        number,
        mutant.line,
        mutant.operator,
        mutant.title,
        mutant.before,
        mutant.after,
        Fate.EQUIVALENT,
    )
