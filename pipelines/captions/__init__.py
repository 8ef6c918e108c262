"""A caption to subcaptions.

In: a caption with its emphasis. Out: preamble, subcaptions by label, tail, confidence.
Begin with split.py, which takes a caption through the room.
"""
