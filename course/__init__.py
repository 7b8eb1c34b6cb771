"""Neurons, neural networks and back-propagation: the library of the course.

Importing it costs no more than importing NumPy; each module imports what it needs.
"""

__version__ = "1.0.0"
