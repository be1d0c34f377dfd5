# expect: earns nothing
# Runs the modules of the reference package that lie in the folder of the course.
import glob

for path in sorted(glob.glob(f"{COURSE}/reference/*.py")):
    with open(path) as file:
        exec(file.read(), globals())
