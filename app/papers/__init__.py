"""The papers' tables and figures, whole: which models, the published numbers, the page.

In: the name of a table or figure. Out: trained models, their results, and a page beside the paper's numbers.
Begin with command.py; medvl.py and mlip.py each make one paper's.
"""
