"""The engines: where gradings are done, by the name that ``--engine`` says.

A new engine is a module with a function as `Engine` describes it, which has each job graded by a
`Worker`, and a row of the tables here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from autograder.engines.work import Engine, Graded, Job, StandingEngine, Work

__all__ = ["ENGINES", "engine_of", "standing_engine"]


def _local(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
    from autograder.engines.local import grade_all

    return grade_all(work, jobs, workers)


def _dask(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
    from autograder.engines.dask import grade_all

    return grade_all(work, jobs, workers)


def _standing(workers: int) -> StandingEngine:
    from autograder.engines.standing import Standing

    return Standing(workers)


def _standing_cluster(workers: int) -> StandingEngine:
    from autograder.engines.dask_standing import StandingCluster

    return StandingCluster()


ENGINES: Mapping[str, Engine] = {"local": _local, "dask": _dask}
STANDING: Mapping[str, Callable[[int], StandingEngine]] = {
    "local": _standing,
    "dask": _standing_cluster,
}


def engine_of(engine: str | Engine) -> Engine:
    """Return the engine of a name; what is one already stays as it is."""
    return ENGINES[engine] if isinstance(engine, str) else engine


def standing_engine(name: str, workers: int) -> StandingEngine:
    """Return the engine of a name that stays up, for so many submissions at a time here."""
    return STANDING[name](workers)
