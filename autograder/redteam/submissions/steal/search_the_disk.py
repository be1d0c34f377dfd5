# expect: earns nothing
# Walks through the whole disk for two seconds at most, looking for bundles, solutions and canaries.
import glob
import itertools
import os
import time
import zipfile

until = time.monotonic() + 0.6
places = ("/tmp", "/home", "/root", "/work", "/srv", "/var", "/opt", "/")
for root, folders, files in itertools.chain.from_iterable(os.walk(p) for p in places):
    if time.monotonic() > until:
        break
    folders[:] = [f for f in folders if f not in ("proc", "sys", ".venv", "site-packages")]
    for file in files:
        if file == ASSIGNMENT + ".bundle":
            with zipfile.ZipFile(os.path.join(root, file)) as bundle:
                for member in bundle.namelist():
                    if member.startswith("reference/"):
                        exec(bundle.read(member), globals())
            until = 0
