"""Random numbers of two sessions that stand for one kernel: their states travel with the calls."""

import ctypes
import random
import struct
import sys
from typing import Any

import numpy as np

__all__ = ["RandomState"]

_State = tuple[tuple[int, ...], bytes, tuple[Any, ...], bytes]  # Python's, numpy's keys, torch's
MT19937_BYTES = 625 * 4  # numpy's keys, and a place among them


class RandomState:
    """The state of Python's and of numpy's global generators, as the other session last knew it."""

    def __init__(self) -> None:
        self._had_number = False
        self._keep()

    def changed(self) -> dict[str, Any] | None:
        """Return the state, if it is another than the other session knows; it knows it then."""
        if self._mark is not None and self._mark == _mark():
            return None
        former = self._known
        self._keep()
        return None if self._known == former else _told(self._known)

    def take(self, state: dict[str, Any] | None) -> None:
        """Put the other session's state in place of this one's."""
        if state is None:
            return
        words = np.asarray(state["random"], dtype="int64").reshape(625)
        random.setstate((3, tuple(words.tolist()), None))
        keys = np.asarray(state["numpy"], dtype="uint32").reshape(624)
        place, gauss, cached = np.asarray(state["more"], dtype="float64").reshape(3)
        np.random.set_state(("MT19937", keys, int(place) % 625, int(gauss), float(cached)))
        if "torch" in state and (torch := sys.modules.get("torch")) is not None:
            torch.set_rng_state(torch.from_numpy(np.asarray(state["torch"], dtype="uint8").copy()))
        self._keep()

    def _keep(self) -> None:
        self._known = _state()
        # numpy may keep a normal number for the next call. It is not seen where the words are, and
        # a state that is put back may differ in nothing else.
        self._had_number |= self._known[2][1:2] != (0,)
        self._mark = None if self._had_number else _mark()


def _state() -> _State:
    keys, *more = tuple(np.random.get_state())[1:]
    return random.getstate()[1], np.asarray(keys).tobytes(), tuple(more), _of_torch()


def _of_torch() -> bytes:
    torch = sys.modules.get("torch")
    return b"" if torch is None else torch.get_rng_state().numpy().tobytes()


def _mark() -> tuple[object, ...] | None:
    """Return what is another as soon as a state is; None where only the state itself tells.

    numpy takes a tenth of a millisecond to copy its state out, and none to say where it lies;
    Python makes 625 numbers of its own.
    """
    generator = np.random.get_bit_generator()  # type: ignore[attr-defined]  # in no stub
    if type(generator) is not np.random.MT19937:
        return None
    words = ctypes.string_at(generator.ctypes.state_address, MT19937_BYTES)
    return words, _words() if _IS_AS_KNOWN else random.getstate()[1], _of_torch()


def _words() -> bytes:
    """Return Python's place among its words, and these, as they lie behind an object's head."""
    return ctypes.string_at(id(_GENERATOR) + object.__basicsize__, MT19937_BYTES)


def _is_as_known() -> bool:
    """Return whether this interpreter keeps its state as CPython has done since it has one."""
    if type(_GENERATOR) is not random.Random or _GENERATOR.__sizeof__() < MT19937_BYTES:
        return False
    place, *words = struct.unpack("625I", _words())
    return bool((*words, place) == _GENERATOR.getstate()[1])


_GENERATOR: Any = getattr(random.getstate, "__self__", None)
_IS_AS_KNOWN = sys.implementation.name == "cpython" and _is_as_known()


def _told(state: _State) -> dict[str, Any]:
    words, keys, more, of_torch = state
    told = {
        "random": np.array(words, dtype="int64"),
        "numpy": np.frombuffer(keys, dtype="uint32"),
        "more": np.array(more, dtype="float64"),
    }
    return told | ({"torch": np.frombuffer(of_torch, dtype="uint8")} if of_torch else {})
