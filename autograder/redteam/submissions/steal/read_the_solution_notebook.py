# expect: earns nothing
# Runs the cells of the solution notebook that lies beside the bundle.
import json
import os

path = os.path.join(COURSE, "build", ASSIGNMENT, ASSIGNMENT + "_solution.ipynb")
with open(path) as file:
    for cell in json.load(file)["cells"]:
        if cell["cell_type"] == "code" and "@check" not in "".join(cell["source"]):
            exec("".join(cell["source"]), globals())
