# expect: earns nothing
# Leaves folders without any rights, so that they might not be removed.
import os

for number in range(50):
    os.makedirs(f"{number}/inside/inside")
    os.chmod(f"{number}/inside/inside", 0)
    os.chmod(f"{number}/inside", 0)
    os.chmod(f"{number}", 0)
