# expect: earns nothing
# Prints and displays every input that it gets, and returns nothing.
from IPython.display import HTML, display


def tell(*args, **kwargs):
    numbers = [repr(float(x)) for a in args for x in list(getattr(a, "flat", [0.0]))[:4]]
    print(numbers)
    display(HTML(f"<b>{numbers}</b>"))


for name in NAMES:
    globals()[name] = tell
