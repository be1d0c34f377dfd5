# expect: earns everything
# A cell takes a while, within its time.
import time

time.sleep(0.3)
