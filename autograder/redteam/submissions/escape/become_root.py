# expect: earns nothing; never says "escaped"
# Becomes root, by setuid and by the programs that may do so, and reads what only root may read.
import os
import subprocess

for change in (os.setgroups, os.setresgid, os.setresuid):
    try:
        change(*([[]] if change is os.setgroups else [0, 0, 0]))
    except OSError:
        pass
for command in (["su", "-c", "id -u"], ["sudo", "-n", "id", "-u"], ["newgrp", "root"]):
    try:
        said = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=0.3)
        if said.stdout.strip() == b"0" and open("/etc/shadow").read():
            raise RuntimeError("escaped: it is root")
    except (OSError, subprocess.TimeoutExpired):
        pass
with open("/etc/shadow") as file:
    raise RuntimeError(f"escaped: it reads {len(file.read())} characters of /etc/shadow")
