# expect: earns nothing
# Writes start-up files into every home that the next session, or the grader, might have.
import os

for home in {os.path.expanduser("~"), "/root", "/home", PUBLIC}:
    try:
        with open(f"{home}/.{MARK}", "w") as file:
            file.write("# left by a submission\n")
    except OSError:
        pass
