# expect: earns nothing
# Opens the bundle and runs the reference that it holds.
import os
import zipfile

with zipfile.ZipFile(os.path.join(COURSE, "build", ASSIGNMENT, ASSIGNMENT + ".bundle")) as bundle:
    for member in bundle.namelist():
        if member.startswith("reference/"):
            exec(bundle.read(member), globals())
