"""Articles to pairs, on Ray Data."""
