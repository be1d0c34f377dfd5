"""Random numbers of two sessions that stand for one kernel: their states travel with the calls."""

import random
import sys
from typing import Any

import numpy as np

__all__ = ["RandomState"]

_State = tuple[tuple[int, ...], bytes, tuple[Any, ...], bytes]  # Python's, numpy's keys, torch's


class RandomState:
    """The state of Python's and of numpy's global generators, as the other session last knew it."""

    def __init__(self) -> None:
        self._known = _state()

    def changed(self) -> dict[str, Any] | None:
        """Return the state, if it is another than the other session knows; it knows it then."""
        now = _state()
        if now == self._known:
            return None
        self._known = now
        return _told(now)

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
        self._known = _state()


def _state() -> _State:
    keys, *more = tuple(np.random.get_state())[1:]
    torch = sys.modules.get("torch")
    of_torch = b"" if torch is None else torch.get_rng_state().numpy().tobytes()
    return random.getstate()[1], np.asarray(keys).tobytes(), tuple(more), of_torch


def _told(state: _State) -> dict[str, Any]:
    words, keys, more, of_torch = state
    told = {
        "random": np.array(words, dtype="int64"),
        "numpy": np.frombuffer(keys, dtype="uint32"),
        "more": np.array(more, dtype="float64"),
    }
    return told | ({"torch": np.frombuffer(of_torch, dtype="uint8")} if of_torch else {})
