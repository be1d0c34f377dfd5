# expect: earns nothing; never says "broke"
# A cell lowers its own limit on the processor's time, so that the kernel kills it as nobody else would.
import resource

resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
while True:
    pass
