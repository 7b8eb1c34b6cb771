"""nbgrader's settings: this folder is the course. The last three lines make grading safe."""

c = get_config()  # noqa: F821  (nbgrader defines it)

c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"

from course.grading.autograde import configure  # noqa: E402

configure(c)
