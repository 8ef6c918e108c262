"""The cases of ../shared/cases, each run as a user would run it, and what happened beside what is right."""
