"""The process of a slot: it grades what it is sent, one submission after another.

    python -I -m autograder.engines.slot_process DESCRIPTOR

Gradings are in its main thread, where time-outs work best. Another thread reads, so that it ends
with whoever started it, whatever it is doing then; its fork server's supervisor ends the rest.
"""

import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from queue import SimpleQueue

from autograder.artefacts.bundle import parse_bundle
from autograder.artefacts.results import digest_of
from autograder.engines.grader import Worker
from autograder.engines.orders import LostGpu, Order, Outcome, Setup, Warm, decode, encode
from autograder.errors import AutograderError, DeviceLost, HarnessError, UnsafeHere
from autograder.grading.intake import Submitted
from autograder.sandbox.client.gpu import gpus_for

__all__ = ["main"]


def main(descriptor: int) -> None:
    """Grade what comes through a socket, until nobody is at its other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it handles Ctrl-C
    connection = Connection(descriptor)
    received = SimpleQueue[bytes]()
    threading.Thread(target=_read, args=(connection, received), daemon=True).start()
    try:
        worker = _worker(decode(received.get(), Setup), received.get())
        isolation = worker.warm()
    except AutograderError as error:
        connection.send_bytes(encode(Warm.refusing(error)))
        return
    connection.send_bytes(encode(Warm(isolation)))
    while True:
        connection.send_bytes(encode(_outcome(worker, received.get())))


def _read(connection: Connection, received: "SimpleQueue[bytes]") -> None:
    try:
        while True:
            received.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)


def _worker(setup: Setup, data: bytes) -> Worker:
    if digest_of(data) != setup.bundle:
        raise HarnessError("the bundle that came is not the one that was named")
    gpus = gpus_for(setup.device)  # what CUDA_VISIBLE_DEVICES shows; the first of them is used
    return Worker(setup.work(), parse_bundle(data, "the bundle"), *gpus[:1])


def _outcome(worker: Worker, data: bytes) -> Outcome:
    try:
        order = decode(data, Order)
        return Outcome.of(worker.grade_read(order.job(), Submitted(order.data)))
    except DeviceLost as error:
        return Outcome(lost=LostGpu.of(error))
    except Exception as error:  # it is told, and costs no other submission anything
        unsafe = isinstance(error, UnsafeHere)
        return Outcome(fault=f"{type(error).__name__}: {error}", unsafe=unsafe)


if __name__ == "__main__":
    main(int(sys.argv[1]))
