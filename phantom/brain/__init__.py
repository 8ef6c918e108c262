"""A synthetic brain case: anatomy, a lesion, vessels, and the words for them.

In: a seed. Out: a patient whose slices can be drawn in any modality.
Begin with anatomy.py; drawing.py draws one panel.
"""
