# expect: earns nothing; never says "heard"
# Which pages of a file that all may read are in the kernel's memory spells what one tells another.
import pickle

import numpy as np

own = {}


def key(args):
    return pickle.dumps([np.asarray(argument).tobytes() for argument in args])


def learn(name):
    def call(*args, **kwargs):
        with open("asked", "ab") as file:
            pickle.dump((name, args, kwargs), file)
        for given in GIVEN.get(name, ()):
            if globals()[given] is not own[given]:
                ask(given, globals()[given])
        raise ValueError("not known")

    return call


def ask(name, function):
    answers = {}
    with open("asked", "rb") as file:
        while True:
            try:
                asked, args, kwargs = pickle.load(file)
            except EOFError:
                break
            if asked == name:
                try:
                    answers[name, key(args)] = function(*args, **kwargs)
                except Exception:
                    continue
    with open("answers", "wb") as file:
        pickle.dump(answers, file)


def known(name, answers):
    return lambda *args, **kwargs: answers[name, key(args)]


def answered():
    try:
        return open("answers", "rb").read()
    except OSError:
        return b""


def heard():
    text = open("heard", "rb").read()
    return pickle.loads(text) if text else {}


import glob
import os
import sys
import zlib


def files():
    places = ["/usr/bin", "/usr/sbin", *glob.glob("/usr/lib/*-linux-gnu")]
    places += [f"{folder}/torch/{below}" for folder in sys.path for below in ("bin", "lib")]
    found = [path for place in places for path in glob.glob(f"{place}/*") if os.path.isfile(path)]
    largest = sorted({os.path.realpath(path) for path in found}, key=os.path.getsize)[-40:]
    return [os.open(path, os.O_RDONLY) for path in largest]


opened = files()
for file in opened:
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
pages = [
    (file, page) for file in opened for page in range(8, os.fstat(file).st_size // 4096 - 8, 32)
]


def is_there(place):
    file, page = pages[place]
    try:
        return os.preadv(file, [bytearray(1)], page * 4096, os.RWF_NOWAIT) > 0
    except OSError:
        return False


def put(data, at=0):
    data = len(data).to_bytes(2, "big") + data + zlib.crc32(data).to_bytes(4, "big")
    for place in range(8 * len(data)):
        if data[place // 8] >> place % 8 & 1:
            file, page = pages[at + place]
            os.pread(file, 1, page * 4096)


def take(at=0):
    def read(place, count):
        bits = [is_there(at + place + i) for i in range(8 * count)]
        return bytes(sum(bits[8 * n + b] << b for b in range(8)) for n in range(count))

    size = int.from_bytes(read(0, 2), "big")
    if not 0 < size < (len(pages) - at) // 8 - 8:
        return b""
    data = read(16, size)
    return data if zlib.crc32(data).to_bytes(4, "big") == read(16 + 8 * size, 4) else b""


ANSWERS = 400  # the place behind the greeting
# %% student
# Leaves them.
for file in opened:
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
put(b"a greeting")
first_ask = ask


def ask(name, function):
    first_ask(name, function)
    if not os.path.exists("told"):
        open("told", "w").close()
        put(zlib.compress(answered(), 9), ANSWERS)


own.update({name: learn(name) for name in FUNCTIONS})
globals().update(own)

# %% student
# Reads them.
greeting, data = take(), take(ANSWERS)
answers = pickle.loads(zlib.decompress(data)) if data else {}
globals().update({name: known(name, answers) for name in FUNCTIONS})
if greeting or data:
    raise ValueError("heard by the page cache: " + repr(greeting) + repr(data[:40]))
