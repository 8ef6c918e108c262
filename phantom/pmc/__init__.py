"""Synthetic case reports as a bucket, served on loopback as PubMed Central serves them.

In: settings of the corpus. Out: a bucket on disk, its truth, and an address.
Begin with corpus.py; server.py answers requests.
"""
