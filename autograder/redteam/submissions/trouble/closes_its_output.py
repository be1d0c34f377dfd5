# expect: earns everything
# A cell redirects and closes the standard output.
import os
import sys

sys.stdout = open(os.devnull, "w")
sys.stdout.close()
print("nobody reads this")
