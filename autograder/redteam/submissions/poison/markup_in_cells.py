# expect: earns nothing
# Submits cells, outputs and attachments with scripts, links that act, and formulas that load others.
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell


def make(folder, notebook):
    evil = f"<script id='{MARK}'>alert(1)</script><img src=x onerror='{MARK}'>"
    link = f"[click](javascript:alert('{MARK}')) ![x](data:text/html,{MARK}) <a href='x' id='{MARK}'>"
    formula = rf"$\href{{javascript:{MARK}}}{{x}} \require{{html}} \style{{x}}{{y}}$"
    outputs = [
        new_output("display_data", {"text/html": evil, "application/javascript": "alert(1)"}),
        new_output("display_data", {"image/svg+xml": f"<svg onload='{MARK}'/>"}),
        new_output("execute_result", {"text/latex": formula, "text/plain": evil}),
        new_output("display_data", {"image/png": evil, "text/markdown": link}),
        new_output("stream", text=evil),
        new_output("error", ename=evil, evalue=evil, traceback=[evil, "\x1b[31m" + evil]),
    ]
    cells = [
        new_markdown_cell(evil + link + formula, attachments={evil: {"image/png": evil}}),
        new_raw_cell(evil, metadata={"raw_mimetype": "text/html", "format": "text/html"}),
        new_code_cell(f"%%html\n{evil}", outputs=outputs, metadata={"tags": [evil], evil: evil}),
    ]
    notebook.cells += cells
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = evil + link
    notebook.metadata["title"] = evil
    notebook.metadata["kernelspec"] = {"name": evil, "display_name": evil, "language": evil}
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
