"""Panels to the letters printed on them.

In: a figure with boxes of panels and letters. Out: a letter for each panel, with its score.
Begin with lettering.py; reader.py reads one crop.
"""
