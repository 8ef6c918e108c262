"""A run's pairs, radiographs and figures in the forms that other tools read.

In: committed tables of a run, and what of them is wanted. Out: a folder with files in one form, a card, whom to name,
and numbers. Begin with written.py.
"""
