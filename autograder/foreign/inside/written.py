"""Functions of the tests that only compute: the student's code is given them as they are written.

It may call one some thousand times, and to have the tests' session answer each call costs far more
than the function. Whatever could be seen from outside of a function keeps it with the tests: names
of theirs, random numbers, what it prints, counts or keeps; and so does that it stands in a hidden
test alone.
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

__all__ = ["function_of", "functions_in", "written_of"]

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
MOST_BYTES = 1 << 14  # of a function's code


@lru_cache(maxsize=4096)
def functions_in(text: str) -> dict[CodeType, CodeType]:
    """Return the code of all functions that a text defines, by what they compute."""
    if "lambda" not in text and "def" not in text:
        return {}  # without compiling it: every student's tests come by here
    try:
        cell = compile(text, "<test>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return {}
    return {_bare(code): code for code in _codes(cell) if code is not cell}


def written_of(function: Any, shown: Mapping[CodeType, CodeType]) -> Written | None:
    """Return a function as plain data, if it does nothing but compute; else None.

    Args:
        function: any object.
        shown: the functions that students may read, as `functions_in` returns them.
    """
    if type(function) is not FunctionType or function.__dict__ or function.__closure__:
        return None
    if function.__defaults__ or function.__kwdefaults__:  # which a hidden test may have chosen
        return None
    code = shown.get(_bare(function.__code__))
    if code is None or code.co_flags & SUSPENDED:
        return None
    if (used := _names_in(code)) is None:
        return None
    names = {name: _place_of(name, function.__globals__) for name in used}
    if None in names.values() or len(data := marshal.dumps(code)) > MOST_BYTES:
        return None
    return {"code": data, "names": names}


def function_of(written: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the function that the tests' side has written out."""
    known: dict[str, Any] = {"__builtins__": builtins, "__name__": "__main__"}
    for name, place in written["names"].items():
        module, _, attribute = place.partition(":")
        found = importlib.import_module(module)
        known[name] = getattr(found, attribute) if attribute else found
    code: CodeType = marshal.loads(written["code"])
    return FunctionType(code, known)


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


def _bare(code: CodeType) -> CodeType:
    """Return code without what it is called and where it stands, to be compared."""
    return code.replace(
        co_name="",
        co_qualname="",
        co_filename="",
        co_firstlineno=1,
        co_linetable=b"",
        co_consts=tuple(_bare(c) if isinstance(c, CodeType) else c for c in code.co_consts),
    )


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
    value = namespace[name]  # of which nothing is asked: it may be theirs
    for module in MODULES:
        known = sys.modules.get(module)
        if value is known is not None:
            return module
        if type(value) is ModuleType or name in STATEFUL or known is None:
            continue
        if getattr(known, name, None) is value:
            return f"{module}:{name}"
    return None
