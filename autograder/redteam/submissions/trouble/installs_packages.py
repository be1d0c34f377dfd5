# expect: earns everything
# A cell installs a package, which fails without a network, and imports it.
# %% first
!pip install --quiet --no-index torchmetrics-of-tomorrow
import torchmetrics_of_tomorrow
