"""Fork servers that tests share: a start takes a third of a second, most of it imports.

A test that examines how one starts, or that ends one, has one of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest

from autograder.grading import runner
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import Gpu, Isolation

__all__ = ["fork_servers", "sharing_fork_servers"]


class Kept(ForkServer):
    """A fork server that lasts, whoever closes it."""

    def close(self) -> None:
        """Leave it as it is, for the next one."""

    def end_at_last(self) -> None:
        super().close()


@pytest.fixture(scope="session")
def fork_servers() -> Iterator[Callable[..., ForkServer]]:
    """Return what takes the place of `ForkServer`: the same settings get the same one."""
    with ExitStack() as stack:
        kept: dict[object, Kept] = {}

        def fork_server(
            limits: Limits,
            preload: Sequence[str],
            device: str,
            levels: Sequence[Isolation],
            gpu: Gpu | None = None,
        ) -> ForkServer:
            settings = limits, tuple(preload), device, tuple(levels), gpu
            if settings not in kept:
                kept[settings] = Kept(*settings)
                stack.callback(kept[settings].end_at_last)
            return kept[settings]

        yield fork_server


@pytest.fixture
def sharing_fork_servers(
    fork_servers: Callable[..., ForkServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Have the graders of a test use what other tests have started, too."""
    monkeypatch.setattr(runner, "ForkServer", fork_servers)
