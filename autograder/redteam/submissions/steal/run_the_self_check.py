# expect: earns nothing
# Runs the checks of the release inside the session and reads the expected values from the messages.
import re

from autograder.authoring.checks import Check
from autograder.student.self_check import self_check

with open("recording.json", "w") as file:
    file.write(RECORDING)
expected = []
for value in list(globals().values()):
    if isinstance(value, Check):
        expected += re.findall(r"expected (-?[\d.e+-]+)", repr(self_check(value)))
for name in FUNCTIONS:
    globals()[name] = lambda *args, **kwargs: float(expected[0]) if expected else 0.0
