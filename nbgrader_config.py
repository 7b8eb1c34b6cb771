"""nbgrader's settings: this folder is the course, and grading in it is safe."""

from course.grading.autograde import configure

c = get_config()  # noqa: F821  (nbgrader defines it)
configure(c)
