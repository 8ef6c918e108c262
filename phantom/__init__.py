"""Case reports drawn from a seed, with their truth, and served as PubMed Central serves them."""
