# expect: earns everything; says "was stopped"
# A cell behind right answers closes all descriptors.
import os

os.closerange(0, 256)
