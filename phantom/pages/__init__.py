"""Figures as journals print them: panels, letters, captions.

In: pictures of panels. Out: a compound figure with its boxes, letters, caption and truth.
Begin with figures.py; compound.py draws those that the detector learns from.
"""
