"""A trained model asked by people: search, compare, and a small site that does both.

In: a run with pairs and a model; words or an image. Out: the nearest pairs, or how well texts fit and where the model
looks, as lines, pages and JSON. questions.py asks, pages.py shows, serving.py answers over HTTP.
"""
