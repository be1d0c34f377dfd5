# expect: earns everything
# A cell runs a program, and one that does not exist.
import subprocess

subprocess.run(["ls", "-la"], check=True, capture_output=True)
subprocess.run(["no-such-program"], check=True)
