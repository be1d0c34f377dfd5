# expect: earns nothing
# Starts a program in the background by the shell, by nohup and by setsid.
import subprocess
import sys

sleep = [sys.executable, "-c", "import time; time.sleep(20)", MARK]
subprocess.Popen(sleep, start_new_session=True)
subprocess.Popen(["nohup", *sleep], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
subprocess.Popen(["setsid", "-f", *sleep])
get_ipython().system(f"sleep 20 & : {MARK}")
