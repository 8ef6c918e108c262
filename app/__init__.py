"""What a person touches: the command line, settings, runs, the report."""
