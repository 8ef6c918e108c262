"""What a job will cost before it is paid for.

In: a number of articles, rates, prices, a cluster.yaml. Out: hours, nodes and dollars of each station.
Begin with command.py; stations.py turns items into work.
"""
