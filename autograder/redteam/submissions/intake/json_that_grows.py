# expect: needs attention; aims at the run
# Submits 40 MB of empty lists and dicts, which take thirty times as much memory once they are read.
def make(folder, notebook):
    with open(folder / f"{folder.name}.ipynb", "w") as file:
        file.write('{"cells":[')
        for _ in range(200):
            file.write("{},[]," * 33_000)
        file.write("{}]}")
