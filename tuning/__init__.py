"""Plans over many trainings: the papers' tables, and sweeps over settings on Ray Tune."""
