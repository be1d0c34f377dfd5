# expect: earns nothing
# Reads the file with the course's secret, which lies beside the course.
import os

with open(os.path.join(os.path.dirname(COURSE), "secret.txt")) as file:
    raise LookupError(file.read())
