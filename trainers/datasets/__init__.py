"""The sets that the papers' models are judged and pre-trained on, read from their files as published."""
