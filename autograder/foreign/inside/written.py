"""Functions of the tests that only compute: the student's code is given them as they are written.

It may call one some thousand times, and to have the tests' session answer each call costs far more
than the function. Whatever could be seen from outside of a function keeps it with the tests: names
of theirs, random numbers, what it prints, counts or keeps.
"""

import builtins
import dis
import importlib
import inspect
import marshal
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

__all__ = ["function_of", "written_of"]

Written = dict[str, Any]
MODULES = ("math", "cmath", "numpy", "torch")
# Of Python's own names, those that only compute.
BUILT_IN = frozenset(
    (
        *("abs", "all", "any", "bool", "complex", "divmod", "enumerate", "float", "int", "len"),
        *("list", "map", "max", "min", "pow", "range", "reversed", "round", "sorted", "sum"),
        *("tuple", "zip", "ValueError", "ZeroDivisionError"),
    )
)
# Of numpy's and torch's names, those that do more than compute.
STATEFUL = frozenset(
    (
        *("random", "errstate", "seterr", "seterrcall", "set_printoptions", "printoptions"),
        *("load", "loadtxt", "genfromtxt", "fromfile", "memmap", "save", "savetxt", "savez"),
        *("savez_compressed", "tofile", "dump", "rand", "rand_like", "randn", "randn_like"),
        *("randint", "randint_like", "randperm", "normal", "bernoulli", "multinomial", "poisson"),
        *("dropout", "seed", "manual_seed", "set_rng_state", "set_default_dtype", "nn", "optim"),
        *("set_grad_enabled", "set_num_threads", "distributions", "utils", "hub", "cuda"),
    )
)
# Instructions that reach beyond what is passed.
REACHING = ("IMPORT", "STORE_GLOBAL", "STORE_ATTR", "DELETE_GLOBAL", "DELETE_ATTR", "LOAD_BUILD")
SUSPENDED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
PLAIN = (type(None), bool, int, float, complex, str)


def written_of(function: Any) -> Written | None:
    """Return a function as plain data, if it does nothing but compute; else None."""
    if type(function) is not FunctionType or function.__dict__ or function.__closure__:
        return None
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    if function.__code__.co_flags & SUSPENDED or not all(type(d) in PLAIN for d in defaults):
        return None
    if (used := _names_in(function.__code__)) is None:
        return None
    names = {name: _place_of(name, function.__globals__) for name in used}
    if None in names.values():
        return None
    return {
        "code": marshal.dumps(function.__code__),
        "names": names,
        "defaults": function.__defaults__,
        "named": function.__kwdefaults__,
    }


def function_of(written: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the function that the tests' side has written out."""
    known: dict[str, Any] = {"__builtins__": builtins, "__name__": "__main__"}
    for name, place in written["names"].items():
        module, _, attribute = place.partition(":")
        found = importlib.import_module(module)
        known[name] = getattr(found, attribute) if attribute else found
    code: CodeType = marshal.loads(written["code"])
    function = FunctionType(code, known, code.co_name, written["defaults"])
    function.__kwdefaults__ = written["named"]
    return function


@lru_cache(maxsize=256)
def _names_in(function: CodeType) -> frozenset[str] | None:
    """Return the global names that a function reads; None where it does more than compute."""
    names = set()
    for code in _codes(function):
        for step in dis.get_instructions(code):
            if step.opname.startswith(REACHING):
                return None
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                names.add(step.argval)
            is_attribute = step.opname.startswith(("LOAD_ATTR", "LOAD_METHOD"))
            if is_attribute and (step.argval in STATEFUL or step.argval.startswith("_")):
                return None
    return frozenset(names)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Give a function's code and that of all that is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _place_of(name: str, namespace: Mapping[str, Any]) -> str | None:
    """Return where else a global name means the same; None where only the tests know it."""
    if name not in namespace:
        return f"builtins:{name}" if name in BUILT_IN else None
    value = namespace[name]
    own = getattr(value, "__name__", "")
    for module in MODULES:
        known = sys.modules.get(module)
        if value is known is not None:
            return module
        is_function = callable(value) and not isinstance(value, ModuleType)
        if is_function and own not in STATEFUL and getattr(known, own, None) is value:
            return f"{module}:{own}"
    return None
