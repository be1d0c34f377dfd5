"""What nbgrader, its formgrader and its exchange must know of this course's folders."""

c = get_config()  # noqa: F821 - nbgrader defines it

c.CourseDirectory.source_directory = "assignments"
