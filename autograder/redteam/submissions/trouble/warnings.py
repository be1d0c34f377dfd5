# expect: earns everything
# Cells and functions warn, on the standard error stream and through logging.
import logging
import sys
import warnings

warnings.warn("deprecated", DeprecationWarning)
warnings.warn("be careful")
logging.getLogger().warning("careful")
print("careful", file=sys.stderr)
sys.stderr.write("x" * 100_000)
