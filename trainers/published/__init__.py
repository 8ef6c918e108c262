"""Models that others have trained, as baselines on the pools of a run.

In: hf:NAME or open_clip:NAME, or a folder in the place of NAME. Out: a folder that trainers.checkpoint.load_model
reads, so that retrieval, probes, search and report ask such a model as they ask figray's own. Begin with brought.py.
"""
