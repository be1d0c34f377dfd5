# expect: earns everything; says "ModuleNotFoundError"
# A cell mounts a drive that only another service has.
# %% first
from google.colab import drive

drive.mount("/content/drive")
