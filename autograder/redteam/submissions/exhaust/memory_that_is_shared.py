# expect: earns everything; never says "had 3 GB"
# Takes memory that is shared, which some limits do not count.
import mmap

hoard = []
for _ in range(48):
    piece = mmap.mmap(-1, 64 << 20)
    piece.write(b"x" * len(piece))
    hoard.append(piece)
raise RuntimeError("had 3 GB")
