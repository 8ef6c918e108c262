"""A figure to its panels.

In: an image. Out: boxes of panels and of printed letters.
Begin with separator.py; detector.py finds, the other modules mend.
"""
