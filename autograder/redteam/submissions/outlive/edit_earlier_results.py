# expect: earns nothing
# Overwrites the release and another student's submission; here it only adds a line to them.
import glob

for path in glob.glob(f"{COURSE}/release/{ASSIGNMENT}/requirements.txt"):
    with open(path, "a") as file:
        file.write(f"# {MARK}\n")
