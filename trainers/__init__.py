"""Pairs to models, on Ray Train."""
