"""Sweeps over settings, on Ray Tune: the room for spaces.py and sweep.py, which are not built yet."""
