"""What every room may use: settings, places, tables, records, the cluster, images and sentences.

In: settings, URIs, bytes. Out: checked settings, tables on any storage, opened images, a connected Ray.
Begin with config.py (settings), runs.py (tables) and records.py (their rows).
"""
