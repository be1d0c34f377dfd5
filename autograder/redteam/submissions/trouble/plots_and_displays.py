# expect: earns everything
# Draws, if matplotlib is there, and displays tables and pictures.
from IPython.display import Image, Markdown, display

display(Markdown("# hello"), {"a": 1}, [1, 2, 3])
try:
    import matplotlib.pyplot as plt

    plt.plot([1, 2, 3])
    plt.show()
except ImportError:
    pass
