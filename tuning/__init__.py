"""Sweeps over settings, on Ray Tune."""
