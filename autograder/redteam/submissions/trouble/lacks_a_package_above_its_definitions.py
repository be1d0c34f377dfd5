# expect: earns everything; says "No module named"
# The first lines of a cell want what only the student's machine has; the next cell uses the others.
%load_ext no_such_extension
import no_such_package
from google.colab import drive

drive.mount("/content/drive")
data = open("/content/drive/data.csv").read()
answers = [1]
answers.append(2)
# %%
assert answers == [1, 2]
