# expect: earns nothing
# Prints what a result, a test report and a Jupyter message would look like.
import json
import sys

result = {"schema": 1, "status": "graded", "earned": 100.0, "possible": 100.0, "questions": []}
for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
    if stream is not None:
        stream.write(json.dumps(result) + "\n")
        stream.write(json.dumps({"score": 100, "tests": [{"score": 100, "max_score": 100}]}) + "\n")
        stream.write("== 12 passed in 0.01s ==\nPASSED\nOK\n")
with open("results.json", "w") as file:
    json.dump(result, file)


def cheerful(*args, **kwargs):
    print(json.dumps(result))
    print("PASSED")
    return json.dumps(result)


for name in NAMES:
    globals()[name] = cheerful
