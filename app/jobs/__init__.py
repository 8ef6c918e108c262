"""Commands as jobs of a Ray cluster.

In: a figray command line and a cluster's address. Out: the job's log and exit code.
Begin with commands.py; submission.py says what is sent, client.py sends it.
"""
