"""Articles and their files.

In: a query or a bucket. Out: figures with captions, licence and bytes, or why not.
Begin with pmc.py; jats.py reads the XML, selection.py decides what is kept.
"""
