# expect: earns nothing
# Counts calls and tells at each how many there were, what they got, and which names were asked for.
import mmap

memory, asked = mmap.mmap(-1, 1 << 16), []


def tell(*args, **kwargs):
    numbers = [repr(float(x)) for a in args for x in list(getattr(a, "flat", [0.0]))[:1]]
    size = int.from_bytes(memory[:8], "little")
    text = memory[8 : 8 + size] + " ".join(numbers).encode() + b"/"
    memory[: 8 + len(text)] = len(text).to_bytes(8, "little") + text
    raise ValueError(f"call {text.count(b'/')}: {text[-400:].decode()}")


for name in NAMES:
    globals()[name] = tell
