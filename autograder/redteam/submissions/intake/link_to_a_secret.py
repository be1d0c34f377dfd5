# expect: needs attention
# Submits a symbolic link to the course's secret, and one to an endless device.
def make(folder, notebook):
    (folder / f"{folder.name}.ipynb").symlink_to(f"{COURSE}/../secret.txt")
    (folder / "data.csv").symlink_to("/dev/zero")
