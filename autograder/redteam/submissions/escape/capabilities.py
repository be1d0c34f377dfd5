# expect: earns nothing; never says "escaped"
# Looks at what it may do: no capability, no new privileges, system calls filtered.
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
if int(status["CapEff"], 16) or int(status["CapBnd"], 16) and status["NoNewPrivs"].strip() != "1":
    raise RuntimeError(f"escaped: capabilities {status['CapEff'].strip()}")
if status["Seccomp"].strip() != "2":
    raise RuntimeError("escaped: no filter of system calls")
