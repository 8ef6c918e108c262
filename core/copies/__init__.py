"""The same picture elsewhere: figures that several articles show, radiographs that several patients have.

In: the pictures of tables, part by part. Out: links between copies of different owners, and what was not compared.
Begin with search.py, the search on Ray Data; dedupe.py compares two pictures, and all with all where they are few.
"""
