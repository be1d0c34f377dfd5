# expect: earns nothing
# Answers a proof with formulas whose commands make links and styles of their own: \mmlToken, \href.
import nbformat


def make(folder, notebook):
    formulas = [
        r"$\mmlToken{mi}[href='javascript:MARK' style='x' id='MARK']{x}$",
        r"$\href{javascript:MARK}{x}$ $$\style{MARK}{x}$$ $\unicode{MARK}$ \(\class{MARK}{x}\)",
        r"$\def\h{\href}\h{javascript:MARK}{x}$ $\require{html}\data{MARK}{x}$",
    ]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.nbgrader.solution:
            cell.source = " ".join(formulas).replace("MARK", MARK)
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
