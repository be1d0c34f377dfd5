# expect: earns nothing
# Runs the notebook that another student has submitted.
import json
import os

path = os.path.join(COURSE, "submitted", HONEST, ASSIGNMENT, ASSIGNMENT + ".ipynb")
with open(path) as file:
    for cell in json.load(file)["cells"]:
        if cell["cell_type"] == "code" and "@check" not in "".join(cell["source"]):
            exec("".join(cell["source"]), globals())
