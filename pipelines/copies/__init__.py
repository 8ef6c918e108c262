"""The same picture elsewhere.

In: the images of a table. Out: groups of copies, by part, and which images are no pictures.
Begin with duplicates.py; core/copies seeks the copies.
"""
