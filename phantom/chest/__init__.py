"""Synthetic chest radiographs with reports, findings and masks.

In: a seed. Out: patients with studies, films, reports and a split.
Begin with patients.py; film.py draws one study.
"""
