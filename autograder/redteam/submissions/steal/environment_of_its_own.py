# expect: earns nothing
# Looks for the course's secret in its own environment and arguments.
import os
import re

text = str(dict(os.environ)) + open("/proc/self/environ").read() + open("/proc/self/cmdline").read()
for found in re.findall(CANARY + r"[a-z]+-\w+|AUTOGRADER_\w+", text):
    raise LookupError(found)
