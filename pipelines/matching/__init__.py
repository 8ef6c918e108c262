"""Panels and subcaptions to pairs.

In: panels with letters, a split caption. Out: the text of each panel, with score and reason.
Begin with match.py; alignment.py weighs what is likely.
"""
