# expect: earns nothing
# Writes into the installed packages, where the grader itself would import it.
import site
import sysconfig

import autograder

places = [*site.getsitepackages(), sysconfig.get_path("stdlib"), *autograder.__path__]
for place in places:
    try:
        with open(f"{place}/{MARK}.pth", "w") as file:
            file.write("# left by a submission\n")
    except OSError:
        pass
