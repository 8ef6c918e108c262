"""Pictures of many kinds for panels: scans, films, tissue, plots, sheets.

In: a seed and a size. Out: one picture, with marks over it.
Begin with contents.py, which names every kind.
"""
