# expect: earns everything
# Cells tidy up names that nothing needs.
import json
import math

del json, math
%who
%history
