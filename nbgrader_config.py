"""nbgrader's settings: this folder is the course, and grading in it is safe."""

c = get_config()  # noqa: F821  (nbgrader defines it)
try:
    from course.grading.autograde import configure
    from course.grading.policy import policy

    configure(c)
    # Your class's rules. keep: "last" or "best" of several submissions. Being late costs so many per
    # cent of the points for each day begun, after some minutes of grace; due dates are nbgrader's.
    policy(c, keep="last", grace_minutes=15, percent_per_day=0, at_most=100)
except Exception as error:  # nbgrader would go on with its own settings and run students' code
    raise SystemExit(f"Nothing was done. nbgrader_config.py: {error}") from error
