# expect: needs attention
# Submits a folder that is a symbolic link to the folder of somebody else.
def make(folder, notebook):
    folder.rmdir()
    folder.symlink_to(f"../{HONEST}/{ASSIGNMENT}")
