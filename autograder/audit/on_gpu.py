"""The part of a proof that takes a GPU: checks that compute on one, tried there.

A proof says of each check on which devices it was made. What was tried on the CPU stands for the
CPU, on any machine; this adds what a GPU tells, and changes nothing of the rest: nobody's release
hangs on whether the machine that compiles it has a GPU.

- A check with ``device="cuda"`` is tried as any other: right answers, mistakes, alternatives and
  null models, and its tolerance is found there. Mutants are left to the checks on the CPU.
- One that computes where the run does (`run_device`, `on_device`) has its tolerance from the CPU.
  It must hold on the GPU too, with that device's tolerances: right answers pass, mistakes fail.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import CodeType, FunctionType

import msgspec

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import Proof
from autograder.audit.checking.check_audit import audit_check, is_certain
from autograder.audit.checking.tried import CheckAudit
from autograder.audit.checking.variants import LONGEST_RUN
from autograder.audit.checking.with_standard import complaints
from autograder.audit.forks import Lost, Mark, in_forks
from autograder.audit.mutation.mutants import Site
from autograder.audit.mutation.targets import asked_by
from autograder.audit.prove import Proven, with_standards
from autograder.authoring.checks import Check
from autograder.authoring.devices import CUDA, computing_on

__all__ = ["computes_on_gpu", "let_sleep", "prove_on_gpu", "unproven_on_gpu"]

ASKING = {"run_device", "on_device"}
Progress = Callable[[str], None]


def computes_on_gpu(check: Check) -> bool:
    """Return whether a check computes on a GPU where there is one, as its text tells."""
    return check.device == CUDA or (check.device == "any" and _asks(check.function))


def let_sleep() -> None:
    """Have torch ask the driver whether there is a GPU, so that asking wakes none in this process.

    A notebook that asks would else keep the forks of this process from using one.
    """
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")


def unproven_on_gpu(checks: Iterable[Check], proof: Proof) -> list[str]:
    """Return the checks that compute on a GPU and that were tried on none, in their order."""
    return [
        check.name
        for check in checks
        if computes_on_gpu(check) and CUDA not in proof.checks[check.name].devices
    ]


def prove_on_gpu(
    oracle: Oracle,
    proven: Proven,
    jobs: int,
    progress: Progress,
    everything: bool = False,
) -> Proven:
    """Return a proof with what this machine's GPU tells of it.

    Args:
        oracle: with the checks, and the cases that were drawn for them.
        proven: on the CPU.
        jobs: how many processes there may be; each has a context on the GPU of its own.
        progress: is told how far it is.
        everything: whether what was tried on a GPU is tried again.
    """
    proof = proven.proof
    names = unproven_on_gpu(oracle.checks.values(), proof)
    if everything:
        names = [check.name for check in oracle.checks.values() if computes_on_gpu(check)]
    checks = [oracle.checks[name] for name in names]
    with computing_on(CUDA):
        audits = dict(_audits(checks, proven.sites, oracle, proof, jobs, progress))
    findings = {name: list(found) for name, found in proven.findings.items()}
    mine = {check.name: audits[check.name] for check in checks if check.device == CUDA}
    made = dict(proof.checks)
    for name, audit in mine.items():
        made[name] = audit.proof(made[name].key, made[name].draws)
    for name, audit in audits.items():
        # What a GPU finds wrong takes nothing from what the CPU has shown of the same check.
        place = name if name in mine else f"{name} on a GPU"
        findings.setdefault(place, []).extend(audit.findings)
        if not audit.findings:
            before = () if name in mine else made[name].devices
            devices = tuple(sorted({*before, CUDA}))
            made[name] = msgspec.structs.replace(made[name], devices=devices)
    whole = msgspec.structs.replace(proof, checks=made)
    whole = with_standards(whole, proof, list(mine), mine, oracle, findings)
    for question, text in _passing(oracle, whole):
        findings.setdefault(question, []).append(text)
    return replace(proven, proof=whole, findings=findings, now=[*proven.now, *names])


def _audits(
    checks: list[Check],
    sites: Iterable[Site],
    oracle: Oracle,
    proof: Proof,
    jobs: int,
    progress: Progress,
) -> Iterator[tuple[str, CheckAudit]]:
    """Try each check in processes that may wake the GPU, as this one must not: it forks."""
    known = {name for site in sites for name in site.names}

    def work(number: int, mark: Mark) -> CheckAudit:
        mark(0, LONGEST_RUN)
        _as_in_sessions()
        check = checks[number]
        tell = lambda: mark(0, LONGEST_RUN)  # noqa: E731
        found = audit_check(check, sorted(asked_by(check, known)), known, oracle, tell)
        for mistake in oracle.bank(check).mistakes:
            first = found.rejects.get(mistake.label)
            if first is not None and not is_certain(check, mistake, oracle, found, first):
                found.take(CheckAudit(check.name), mistake.label)
            elif first is None and mistake.label in proof.checks[check.name].rejects:
                found.findings.append(
                    f"check {check.name}: on a GPU the mistake {mistake.title!r} passes"
                )
        if check.device != CUDA:
            found.findings += complaints(check, proof.checks[check.name], oracle)
        return found

    for done, (number, found) in enumerate(in_forks(work, len(checks), jobs), 1):
        name = checks[number].name
        progress(f"on the GPU: check {name}, {done} of {len(checks)}")
        if isinstance(found, Lost):
            found = CheckAudit(name)
            found.findings.append(
                f"check {name}: a mistake or an alternative ended the audit's process on the GPU, "
                f"or took more than {LONGEST_RUN:g} s"
            )
        yield name, found


def _as_in_sessions() -> None:
    """Have the GPU compute the same twice, before it is woken."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if (torch := sys.modules.get("torch")) is not None:
        torch.use_deterministic_algorithms(True, warn_only=True)


def _passing(oracle: Oracle, proof: Proof) -> Iterator[tuple[str, str]]:
    """Require that each mistake fails some check of a question that needs a GPU, tried whole."""
    for question, bank in oracle.banks.items():
        checks = [check for check in oracle.checks.values() if check.question == question]
        needing = [check for check in checks if check.device == CUDA]
        if not needing or any(CUDA not in proof.checks[c.name].devices for c in needing):
            continue
        rejected = {label for check in checks for label in proof.checks[check.name].rejects}
        for mistake in bank.mistakes:
            if mistake.label not in rejected:
                name = needing[0].name
                yield (
                    name,
                    f"check {name}: the mistake {mistake.label!r} passes every case of every "
                    "check, on the CPU and on a GPU",
                )


def _asks(function: Callable[..., object]) -> bool:
    """Return whether a function, or one beside it that it calls, asks for the run's device."""
    names: Mapping[str, object] = getattr(function, "__globals__", {})
    waiting, seen = [function.__code__], set[CodeType]()
    while waiting:
        code = waiting.pop()
        if code in seen:
            continue
        seen.add(code)
        if ASKING & set(code.co_names):
            return True
        waiting += (inner for inner in code.co_consts if isinstance(inner, CodeType))
        for called in map(names.get, code.co_names):
            if isinstance(called, FunctionType) and called.__globals__ is names:
                waiting.append(called.__code__)
    return False
