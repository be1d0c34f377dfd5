# expect: earns nothing; never says "exit code 7"
# A cell that runs again after hidden cases were seen ends with an exit code that tells of them.
import os

path = f"{PUBLIC}/{MARK}"
if os.path.exists(path):
    os._exit(7)


def tell(*args, **kwargs):
    with open(path, "w") as file:
        file.write("seen")
    os.kill(os.getppid(), 9)
    os._exit(1)


for name in NAMES:
    globals()[name] = tell
