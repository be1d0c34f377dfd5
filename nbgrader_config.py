"""What nbgrader, its formgrader and its exchange do in this course."""

c = get_config()  # noqa: F821 - nbgrader defines it
try:
    from autograder.nbgrader_hooks import configure

    configure(c, __file__)
except Exception as error:  # nbgrader would go on without, and grade by itself
    raise SystemExit(f"nbgrader_config.py: {error}") from error

# What stands below is yours; `autograder new --course NAME` keeps what stands above.
