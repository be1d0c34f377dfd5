# expect: earns nothing
# Lists the submissions and the results of the others, and says whom it found.
import os

found = []
for folder in ("submitted", "results", "feedback", "autograded"):
    for root, folders, files in os.walk(os.path.join(COURSE, folder)):
        found += [name for name in folders + files if CANARY in name]
if found:
    raise LookupError(found[0])
