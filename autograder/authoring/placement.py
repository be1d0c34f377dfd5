"""Placement: a student's function on a device, and where it computes there.

What crosses to a session is made on its CPU. `on_device` has a function called with all tensors of
its arguments on a device, so that a check times it there, measures its memory, or compares its
value with the CPU's. `placed` calls one likewise, and tells on which devices it worked.
"""

# torch's dispatch mode, whose class has no annotations.
# mypy: allow-untyped-calls

from collections.abc import Iterable
from typing import Any

from autograder.authoring.devices import CPU, run_device
from autograder.authoring.phrases import kind
from autograder.authoring.subject import Proxy, is_ellipsis
from autograder.errors import CheckFailure, Unanswered

__all__ = ["DeviceProxy", "assert_placed", "on_device", "placed"]

SHOWN = 3  # operations that a message names


class DeviceProxy(Proxy):
    """A function of a session, whose arguments are on ``device`` when it is called."""

    __slots__ = ("device",)

    def __init__(self, there: Proxy, device: str, label: str) -> None:
        super().__init__(there._owner, there.remote, label)
        self.device = device


def on_device(function: Proxy, device: str | None = None) -> Proxy:
    """Return a function that is called with its tensors on a device, and waits for it.

    ::

        colours = on_device(student.to_lab)  # on the GPU, where this run has one
        assert_close(colours(x), reference.to_lab(x), what="colours")

    On the CPU it is the function itself. The value comes back as any value does. The session waits
    for the device before and after the call; so a time that is taken around it is that of the work.

    Args:
        function: the student's or the reference's, or one that a helper has returned.
        device: where its tensors are to be; without it, where this run computes.
    """
    device = run_device() if device is None else device
    if device == CPU or not isinstance(function, Proxy) or is_ellipsis(function):
        return function
    there = function._owner.apply(carrier, function, device)
    if not isinstance(there, Proxy):
        raise CheckFailure(f"{kind(there)}, expected a function", function.label)
    return DeviceProxy(there, device, function.label)


def carrier(notebook: "Any", function: "Any", device: "str") -> "Any":
    """Return a session's function that calls another on a device: a helper, for `Subject.apply`.

    It also keeps what torch's allocator says of the last call's memory, in bytes: ``peak`` beside
    the arguments and the value, and ``kept``. ``afresh`` gives back what the allocator holds.
    """
    import torch

    counts = torch.device(device).type == "cuda"

    def moved(value: "Any") -> "Any":
        if type(value) in (list, tuple):
            return type(value)(map(moved, value))
        if type(value) is dict:
            return {key: moved(one) for key, one in value.items()}
        if not isinstance(value, torch.Tensor) or isinstance(value, torch.nn.Parameter):
            return value
        return value.detach().to(device).requires_grad_(value.requires_grad)

    def held_by(value: "Any") -> "dict[int, int]":
        """Return the bytes that tensors have of each piece of memory, by its place."""
        found: dict[int, int] = {}
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            for one in value:
                for place, size in held_by(one).items():
                    found[place] = max(size, found.get(place, 0))
        elif isinstance(value, torch.Tensor):
            memory = value.untyped_storage()
            found[memory.data_ptr()] = min(memory.nbytes(), value.nbytes)
        return found

    class Carried:
        peak = kept = 0

        def afresh(self) -> "None":
            if counts:
                torch.cuda.synchronize()
                torch.cuda.empty_cache()

        def __call__(self, *args: "Any", **kwargs: "Any") -> "Any":
            args, kwargs = moved(args), moved(kwargs)
            if not counts:
                return function(*args, **kwargs)
            known = held_by([args, kwargs])
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
            value = function(*args, **kwargs)
            torch.cuda.synchronize()
            held = sum(size for place, size in held_by(value).items() if place not in known)
            self.peak = max(0, torch.cuda.max_memory_allocated() - before - held)
            self.kept = max(0, torch.cuda.memory_allocated() - before - held)
            return value

    if counts:  # the device is woken now, and what its libraries keep is taken: no call's doing
        square = torch.zeros(16, 16, device=device)
        square @ square
    return Carried()


def placed(
    notebook: "Any", name: "str", /, *args: "Any", device: "str", **kwargs: "Any"
) -> "dict[str, Any]":
    """Call a function or a class by its name, and tell where it worked: a helper.

    ::

        got = student.apply(placed, "to_lab", x, device=run_device())
        assert_placed(got, run_device())
        assert_close(got["value"], reference.to_lab(x), what="colours")

    The tensors of the arguments are on the device. For a class of networks give ``make``, a list of
    what it is made from: one is made, moved to the device, and called.

    Returns:
        ``value``; ``operations``: by device, the names of the operations that had or made a tensor
        there, but for tensors of one number, which may be anywhere; ``state``: the devices of the
        network's parameters and buffers, by name. All of it is the session's word.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    def moved(value: "Any") -> "Any":
        if type(value) in (list, tuple):
            return type(value)(map(moved, value))
        if type(value) is dict:
            return {key: moved(one) for key, one in value.items()}
        return value.to(device) if isinstance(value, torch.Tensor) else value

    def tensors_in(value: "Any") -> "Any":
        if isinstance(value, (list, tuple)):
            for one in value:
                yield from tensors_in(one)
        elif isinstance(value, dict):
            yield from tensors_in(list(value.values()))
        elif isinstance(value, torch.Tensor) and value.dim() and value.numel():
            yield value

    operations: dict[str, set[str]] = {}

    class Noting(TorchDispatchMode):
        def __torch_dispatch__(
            self, operation: "Any", types: "Any", args: "Any" = (), kwargs: "Any" = None
        ) -> "Any":
            made = operation(*args, **(kwargs or {}))
            for tensor in tensors_in([args, kwargs or {}, made]):
                operations.setdefault(tensor.device.type, set()).add(operation._schema.name)
            return made

    make = kwargs.pop("make", None)
    args, kwargs = moved(args), moved(kwargs)
    function, state = getattr(notebook, name), {}
    if make is not None:
        function = function(*make).to(device)
        named = [*function.named_parameters(), *function.named_buffers()]
        state = {key: tensor.device.type for key, tensor in named}
    with Noting():
        value = function(*args, **kwargs)
    return {
        "value": value,
        "operations": {key: sorted(names) for key, names in operations.items()},
        "state": state,
    }


def assert_placed(got: Any, device: str, *, what: str = "computation") -> None:
    """Require that a call worked on a device and nowhere else, as `placed` tells of it.

    A number alone may be anywhere. Compare the value as well: it is what cannot be told otherwise
    than it is.

    Args:
        got: what `placed` returned.
        device: where all of it is to be: ``cpu`` or ``cuda``.
        what: what the call is called in the message.

    Raises:
        CheckFailure: names the operations, or the parameters, that are elsewhere.
    """
    if isinstance(got, Proxy):
        if is_ellipsis(got):
            raise Unanswered(what)
        raise CheckFailure(f"an object of type {got.type_name}, expected what was noted", what)
    if not isinstance(got, dict) or not {"value", "operations", "state"} <= set(got):
        raise CheckFailure(f"{kind(got)}, expected what was noted of a call", what)
    operations, state = got["operations"], got["state"]
    if not isinstance(operations, dict) or not isinstance(state, dict):
        raise CheckFailure("nothing was noted of the call", what)
    away = sorted(f"{key} (on {there})" for key, there in state.items() if there != device)
    if away:
        raise CheckFailure(f"{_some(away)}: expected on {device}", what)
    for there, names in sorted(operations.items()):
        if there != device and isinstance(names, list):
            texts = [str(name).removeprefix("aten::") for name in names]
            raise CheckFailure(f"{_some(texts)} worked on {there}, expected {device}", what)
    if device not in operations:
        raise CheckFailure(f"nothing was computed on {device}", what)


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more
