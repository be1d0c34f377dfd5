# expect: earns everything
# Cells call the checks of the release as a student does, without the recording beside them.
from autograder import self_check

for value in list(globals().values()):
    if type(value).__name__ == "Check":
        try:
            print(self_check(value))
        except Exception as error:
            print(error)
