"""How right separation, letters, subcaptions and pairs are.

In: what was found, and a labelled set. Out: measures with intervals.
Begin with scorecard.py.
"""
