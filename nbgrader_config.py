"""nbgrader's settings: this folder is the course, and grading in it is safe."""

c = get_config()  # noqa: F821  (nbgrader defines it)
try:
    from course.grading.autograde import configure

    configure(c)
except Exception as error:  # nbgrader would go on with its own settings and run students' code
    raise SystemExit(f"Nothing was done. nbgrader_config.py: {error}") from error
