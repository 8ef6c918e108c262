"""Sweeps over settings, from the command to the page.

In: a recipe, a space, a run. Out: trials, the best recipe, a page.
Begin with command.py; tuning/ runs the trials.
"""
