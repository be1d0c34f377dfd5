# expect: earns everything; says "its process left with exit code 0"
# A cell behind right answers leaves the process, and reports success.
import os

os._exit(0)
