"""The options of commands that may grade on a cluster."""

from dataclasses import replace
from pathlib import Path

from autograder.commands.command import Options, Parser
from autograder.course import Course
from autograder.engines.table import ENGINES
from autograder.errors import UsageError

__all__ = ["add_engine", "device_of", "with_cluster"]

FILES = ("tls_ca", "tls_cert", "tls_key")


def add_engine(parser: Parser) -> None:
    """Let a command be done here or on a cluster, on processors or on GPUs."""
    parser.add_argument(
        "--device", choices=("cpu", "cuda", "auto"), default="auto", help="default: auto"
    )
    parser.add_argument(
        "--engine", choices=tuple(ENGINES), default="local", help="where it is done; default: local"
    )
    cluster = parser.add_argument_group("for --engine dask, where course.toml does not say it")
    cluster.add_argument("--scheduler", metavar="ADDRESS", help="such as tls://HOST:8786")
    cluster.add_argument("--tls-ca", metavar="FILE", help="the authority that signed all others")
    cluster.add_argument("--tls-cert", metavar="FILE", help="our own certificate")
    cluster.add_argument("--tls-key", metavar="FILE", help="its key")
    cluster.add_argument(
        "--insecure",
        action="store_true",
        help="without encryption to other machines: a trial, with the demo secret alone",
    )


def with_cluster(course: Course, options: Options) -> Course:
    """Return a course whose cluster is what the options say, and else what `course.toml` says.

    Raises:
        UsageError: an option is about a cluster, and the engine has none; or code is to run
            without walls on other machines.
    """
    if options.engine != "local" and getattr(options, "unsafe_local", False):
        raise UsageError("--unsafe-local is for this machine, not for --engine dask")
    said = {name: given for name in ("scheduler", *FILES) if (given := getattr(options, name))}
    if options.insecure:
        said["insecure"] = True
    if said and options.engine != "dask":
        option = f"--{next(iter(said)).replace('_', '-')}"
        raise UsageError(f"{option} is about a cluster; say --engine dask, too")
    for name in FILES:
        if name in said:
            said[name] = str(Path(said[name]).absolute())
    return replace(course, cluster=replace(course.cluster, **said))


def device_of(options: Options) -> str:
    """Return the device to grade on: ``auto`` is what this machine has and an assignment needs.

    On a cluster that is the processor: GPUs are asked for there by name.

    Raises:
        DeviceLost: this machine is to do it, and the driver of its GPU does not answer.
        UsageError: this machine is to do it, and has no GPU.
    """
    from autograder.sandbox.client.gpu import gpus_for

    if options.engine != "local":
        return "cuda" if options.device == "cuda" else "cpu"
    gpus_for(options.device)
    return str(options.device)
