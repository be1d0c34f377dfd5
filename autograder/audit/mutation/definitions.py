"""Definitions: what became of the mutants of each definition of the answers."""

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec

from autograder.artefacts.bundle import NamedMutant
from autograder.artefacts.compiled import Compiled, Oracle
from autograder.artefacts.gaps import Gaps, figures_of
from autograder.artefacts.proof import DefinitionProof, Proof, Survivor
from autograder.audit.mutation.kills import Fate, MutantResult
from autograder.audit.mutation.mutants import Site, mutants_of
from autograder.audit.mutation.targets import asked_by, mutants_for
from autograder.audit.mutation.trees import last_name, without_annotations
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import Check
from autograder.authoring.standard import Standard
from autograder.compiler.regions import REASON

__all__ = [
    "definitions_to_try",
    "named_mutants_of",
    "proofs_of_definitions",
    "reason_of",
    "who_asks",
]

MOST_ALIKE = 3  # mutants of one title in one check, that a grader tries


def who_asks(oracle: Oracle, sites: Sequence[Site]) -> dict[str, list[str]]:
    """Return which checks ask for each site."""
    known = {name for site in sites for name in site.names}
    names = {check.name: asked_by(check, known) for check in oracle.checks.values()}
    return {
        site.id: [check for check, asked in names.items() if asked.intersection(site.names)]
        for site in sites
    }


def _scoring(oracle: Oracle, names: Iterable[str]) -> list[Check]:
    checks = [oracle.checks[name] for name in names]
    return [check for check in checks if check.points and check.device != "cuda"]


def definitions_to_try(
    sites: Sequence[Site], asked: Mapping[str, Sequence[str]], stale: Iterable[str], stored: Proof
) -> set[str]:
    """Return the sites whose mutants are tried.

    They are those that a stale check asks for, new ones, and those of which some mutants were
    rejected by a check that does not ask for them any more.
    """
    stale = set(stale)
    return {
        site.id
        for site in sites
        if stale.intersection(asked[site.id])
        or site.id not in stored.definitions
        or not stored.definitions[site.id].killed.keys() <= set(asked[site.id])
    }


def proofs_of_definitions(
    compiled: Compiled,
    sites: Sequence[Site],
    tried: Container[str],
    mutants: Sequence[MutantResult],
    stored: Proof,
) -> dict[str, DefinitionProof]:
    """Return what became of the mutants of each site, by its id.

    Args:
        compiled: the assignment.
        sites: of all answers.
        tried: those whose mutants were tried now.
        mutants: what became of these.
        stored: what is known of the others.
    """
    by_site: dict[str, list[MutantResult]] = {site.id: [] for site in sites}
    for mutant in mutants:
        by_site[mutant.site].append(mutant)
    asked = who_asks(compiled.oracle, sites)
    counted: Counter[tuple[str, str]] = Counter()
    found = {}
    for site in sites:
        if site.id in tried:
            checks = _scoring(compiled.oracle, asked[site.id])
            derived = _derived(compiled.oracle, site, checks)
            one = _definition(compiled, site, by_site[site.id], counted)
            found[site.id] = msgspec.structs.replace(one, derived=derived)
        elif site.id in stored.definitions:
            checks = _scoring(compiled.oracle, asked[site.id])
            found[site.id] = _as_written(stored.definitions[site.id], site, checks, compiled)
    return found


def _derived(oracle: Oracle, site: Site, checks: Iterable[Check]) -> dict[str, str]:
    """Return the mistakes that somebody wrote out and that equal a mutant of a site."""
    mistakes = [
        mistake
        for question in dict.fromkeys(check.question for check in checks)
        for mistake in oracle.banks.get(question, Bank()).mistakes
        if mistake.values.keys() == {site.name}
    ]
    written = {one.label: text for one in mistakes if (text := _text_of(one, site.name))}
    if not written:
        return {}
    changed = {
        without_annotations(ast.parse(mutant.text)): (mutant.before, mutant.after)
        for mutant in mutants_of(site)
    }
    return {
        label: "{1!r} for {0!r}".format(*(line.strip() for line in changed[text]))
        for label, text in sorted(written.items())
        if text in changed
    }


def _text_of(mistake: Variant, name: str) -> str | None:
    """Return the text of a mistake in the form that mutants have; None if nobody wrote one."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(mistake.values[name])))
    except (OSError, TypeError, SyntaxError):  # a value, or made by an edit
        return None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.name = name
            node.decorator_list = [d for d in node.decorator_list if last_name(d) != "mistake"]
    return without_annotations(tree)


def _as_written(
    definition: DefinitionProof, site: Site, checks: Iterable[Check], compiled: Compiled
) -> DefinitionProof:
    """Return the same with its survivors on their lines of today, and what is said of them there.

    A comment that moves a line or gives a reason makes no proof stale.
    """
    if not definition.survivors:
        return definition
    mutants = mutants_for(site, checks)
    survivors = []
    for one in definition.survivors:
        line = mutants[one.number].line
        reason = reason_of(line, site.place, compiled)
        survivors.append(msgspec.structs.replace(one, line=line, reason=reason))
    return msgspec.structs.replace(definition, survivors=tuple(survivors))


def _definition(
    compiled: Compiled,
    site: Site,
    mutants: Sequence[MutantResult],
    counted: Counter[tuple[str, str]],
) -> DefinitionProof:
    killed: dict[str, dict[str, int]] = {}
    gaps: dict[str, Gaps] = {}
    nearest: dict[str, str] = {}
    known: dict[str, list[int]] = {}
    for mutant in mutants:
        if mutant.killed_by is None:
            continue
        check = mutant.killed_by[0]
        kinds = killed.setdefault(check, {})
        kinds[mutant.operator] = kinds.get(mutant.operator, 0) + 1
        if mutant.title is not None:
            counted[check, mutant.title] += 1
            if counted[check, mutant.title] <= MOST_ALIKE:
                known.setdefault(mutant.title, []).append(mutant.number)
        if mutant.margin is not None:
            former = gaps.get(check, Gaps())
            if mutant.margin < former.within(Standard()).wrong:
                nearest[check] = f"{mutant.after.strip()!r} for {mutant.before.strip()!r}"
            gaps[check] = former.with_wrong(mutant.gaps)
    return DefinitionProof(
        names=site.names,
        killed=killed,
        equivalent=sum(mutant.fate is Fate.EQUIVALENT for mutant in mutants),
        survivors=tuple(
            Survivor(
                mutant.number,
                mutant.line,
                mutant.operator,
                mutant.before,
                mutant.after,
                mutant.difference or "",
                reason_of(mutant.line, site.place, compiled),
                mutant.case,
            )
            for mutant in mutants
            if mutant.fate is Fate.SURVIVED
        ),
        known=known,
        gaps={check: figures for check, one in gaps.items() if (figures := figures_of(one))},
        nearest=nearest,
    )


def reason_of(number: int, place: str, compiled: Compiled) -> str | None:
    """Return what the author says of a survivor, on its line or on the comment above."""
    text = compiled.reference.get(place)
    if text is None:
        cell = int(place.removeprefix("cell "))
        text = next(one.source for one in compiled.cells if one.number == cell)
    above, line = ["", *text.split("\n"), ""][number - 1 : number + 1]
    said = REASON.search(line) or REASON.match(above.strip())
    return said[1] if said else None


def named_mutants_of(compiled: Compiled, proof: Proof, sites: Sequence[Site]) -> list[NamedMutant]:
    """Return the mutants that diagnoses can name, some for each check and title."""
    named = []
    asked = who_asks(compiled.oracle, sites)
    for site in sites:
        known = proof.definitions[site.id].known if site.id in proof.definitions else {}
        if not known:
            continue
        mutants = mutants_for(site, _scoring(compiled.oracle, asked[site.id]))
        for number, title in sorted((n, title) for title, ns in known.items() for n in ns):
            texts = site.texts_with(mutants[number].text)
            named.append(NamedMutant(tuple(asked[site.id]), title, texts, dict(site.origins)))
    return named
