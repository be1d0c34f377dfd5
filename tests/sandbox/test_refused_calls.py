"""What a session may not ask of the kernel: honest code goes on without it, in every library."""

import pytest

# Each defines `found`, which must be true.
HONEST = {
    "a data base in memory": """
import sqlite3
base = sqlite3.connect(":memory:")
base.execute("create table t (x)")
base.executemany("insert into t values (?)", [(i,) for i in range(5)])
found = base.execute("select sum(x) from t").fetchone()[0] == 10
""",
    "a data base in a file": """
import sqlite3
for mode in ("delete", "wal"):
    with sqlite3.connect(f"{mode}.db") as base:
        base.execute(f"pragma journal_mode={mode}")
        base.execute("create table t (x)")
        base.executemany("insert into t values (?)", [(i,) for i in range(5)])
    base.close()
    again = sqlite3.connect(f"{mode}.db")
    assert again.execute("select sum(x) from t").fetchone()[0] == 10
    again.execute("delete from t")
    again.commit()
    again.close()
found = True
""",
    "locks of files": """
import fcntl, os
with open("lock", "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.flock(file, fcntl.LOCK_UN)
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(file, fcntl.LOCK_UN)
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    found = fcntl.fcntl(file, fcntl.F_GETFL) & os.O_WRONLY == os.O_WRONLY
""",
    "copies of files": """
import os, shutil
open("one", "wb").write(bytes(range(256)) * 1000)
shutil.copyfile("one", "two")
shutil.copy2("two", "three")
os.makedirs("folder")
shutil.copytree("folder", "other")
with open("one", "rb") as a, open("four", "wb") as b:
    os.copy_file_range(a.fileno(), b.fileno(), 256_000)
with open("one", "rb") as a, open("five", "wb") as b:
    os.sendfile(b.fileno(), a.fileno(), 0, 256_000)
same = {open(name, "rb").read() for name in ("one", "two", "three", "four", "five")}
with open("one", "rb") as a:
    buffers = [bytearray(10), bytearray(20)]
    os.preadv(a.fileno(), buffers, 5)
found = len(same) == 1 and buffers[1][0] == 15
""",
    "temporary files": """
import tempfile
with tempfile.TemporaryFile() as file, tempfile.NamedTemporaryFile() as named:
    file.write(b"x" * 100_000)
    named.write(b"y")
    named.flush()
    file.seek(0)
    found = len(file.read()) == 100_000 and open(named.name, "rb").read() == b"y"
with tempfile.TemporaryDirectory() as folder:
    open(f"{folder}/x", "w").close()
""",
    "memory from a file": """
import mmap
import numpy as np
numbers = np.memmap("numbers", dtype=float, mode="w+", shape=(1000,))
numbers[:] = np.arange(1000)
numbers.flush()
again = np.memmap("numbers", dtype=float, mode="r")
np.save("saved.npy", again)
mapped = np.load("saved.npy", mmap_mode="r")
whole = mmap.mmap(-1, 1 << 20)
whole.madvise(mmap.MADV_DONTNEED)
found = float(mapped.sum()) == 499_500.0
""",
    "processes and their locks": """
import multiprocessing as mp
def add(lock, total, queue):
    for _ in range(100):
        with lock:
            total.value += 1
    queue.put(1)
context = mp.get_context("fork")
lock, total, queue = context.Lock(), context.Value("i", 0, lock=False), context.Queue()
workers = [context.Process(target=add, args=(lock, total, queue)) for _ in range(2)]
for worker in workers:
    worker.start()
done = sum(queue.get(timeout=20) for _ in workers)
for worker in workers:
    worker.join()
with context.Pool(2) as pool:
    squares = pool.map(abs, [-1, -2, -3])
found = (total.value, done, squares) == (200, 2, [1, 2, 3])
""",
    "what the machine has": """
import os, platform, resource
import numpy as np
resource.getrusage(resource.RUSAGE_SELF)
platform.uname()
try:
    os.getloadavg()
except OSError:
    pass
memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
found = os.cpu_count() >= 1 and memory > 1 << 28 and bool(open("/proc/cpuinfo").read())
""",
    "arrays": """
import numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(600, 600))
q, r = np.linalg.qr(x)
big = np.ones(1 << 23)
del big
found = bool(np.allclose(q @ r, x))
""",
    "a picture": """
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
plt.plot([1, 2, 3])
plt.title("a title")
plt.savefig("picture.png")
found = open("picture.png", "rb").read(4) == b"\\x89PNG"
""",
    "tensors": """
import torch
x = torch.randn(3, 8, 8)
torch.save({"x": x}, "x.pt")
same = torch.equal(torch.load("x.pt")["x"], x)
mapped = torch.load("x.pt", mmap=True)["x"]
layer = torch.nn.Conv2d(3, 4, 3)
layer(x[None]).sum().backward()
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), batch_size=2, num_workers=1)
found = same and torch.equal(mapped, x) and len(list(data)) == 2
""",
    "programs": """
import subprocess
text = subprocess.run(["cat", "/proc/self/cmdline"], capture_output=True, check=True).stdout
open("a", "w").write("b\\na\\n")
lines = subprocess.run("sort a | cat > c; cp c d; cat d", shell=True, capture_output=True).stdout
found = text.startswith(b"cat") and lines == b"a\\nb\\n"
""",
}
OPTIONAL = {"a picture": "matplotlib", "tensors": "torch"}


@pytest.mark.parametrize("what", HONEST)
def test_honest_code_goes_on_without_what_is_refused(what, run, request):
    if what in OPTIONAL:
        pytest.importorskip(OPTIONAL[what])
    more = {"fork_server": request.getfixturevalue("torch_fork_server")} if what in OPTIONAL else {}
    session = run(HONEST[what], **more)
    assert (session.runs[1].error, session.runs[1].ended) == (None, None)
    with session.check() as check:
        assert check.get("found") is True


PROBES = """
import ctypes, errno, fcntl, os, struct
shared = os.open(os.__file__, os.O_RDONLY)
def fails(call, *args):
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    return ""
found = [
    fails(os.preadv, shared, [bytearray(1)], 0, os.RWF_NOWAIT),
    fails(fcntl.fcntl, shared, fcntl.F_SETLEASE, fcntl.F_RDLCK),
    fails(fcntl.fcntl, shared, fcntl.F_GETLEASE),
    fails(fcntl.fcntl, shared, fcntl.F_NOTIFY, 1),
    fails(fcntl.fcntl, shared, 1036, struct.pack("Q", 3)),
    fails(fcntl.lockf, shared, fcntl.LOCK_SH),
]
"""


def test_what_would_tell_of_a_file_that_all_have_is_refused_or_not_done(run):
    session = run(PROBES)
    with session.check() as check:
        found = check.get("found")
    assert found == ["ENOTSUP", "EINVAL", "EINVAL", "EINVAL", "EINVAL", ""]
