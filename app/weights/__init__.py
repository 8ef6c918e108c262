"""Training of the weights that figray ships.

In: synthetic figures or texts. Out: safetensors with scores and a card.
Begin with separator.py (panels and letters) or sentences.py (the tokenizer).
"""
