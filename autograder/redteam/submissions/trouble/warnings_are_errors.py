# expect: earns everything
# A cell turns warnings into errors, and numpy's too.
import warnings

warnings.simplefilter("error")
