"""The same picture elsewhere.

In: the images of a table. Out: links between copies, and which images are no pictures.
Begin with duplicates.py; dedupe.py compares two images.
"""
