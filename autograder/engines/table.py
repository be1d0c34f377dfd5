"""The engines: where gradings are done, by the name that ``--engine`` says.

A new engine is a module with a function as `Engine` describes it, which has each job graded by a
`Worker`, and a row of the table here.
"""

from collections.abc import Iterator, Mapping, Sequence

from autograder.engines.work import Engine, Graded, Job, Work

__all__ = ["ENGINES", "engine_of"]


def _local(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
    from autograder.engines.local import grade_all

    return grade_all(work, jobs, workers)


def _dask(work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
    from autograder.engines.dask import grade_all

    return grade_all(work, jobs, workers)


ENGINES: Mapping[str, Engine] = {"local": _local, "dask": _dask}


def engine_of(engine: str | Engine) -> Engine:
    """Return the engine of a name; what is one already stays as it is."""
    return ENGINES[engine] if isinstance(engine, str) else engine
