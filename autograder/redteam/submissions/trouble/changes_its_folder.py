# expect: earns everything
# Cells change the folder, remove it and write files.
import os
import shutil

os.makedirs("work/deep")
os.chdir("work/deep")
with open("notes.txt", "w") as file:
    file.write("notes")
shutil.rmtree(os.path.abspath("../../work"))
