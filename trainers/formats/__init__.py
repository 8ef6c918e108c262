"""Models for other libraries. In: the folder of a checkpoint. Out: a folder that ONNX Runtime, timm or open_clip reads.

transformers' BLIP is written by trainers/interchange.py, which reads it too.
"""
