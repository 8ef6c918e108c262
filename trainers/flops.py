"""Floating-point operations of a training step and of an evaluation, for each pair, from the model's shape alone.

Products of matrices count, two operations to a multiplication and addition; norms, softmax and losses do not. A pass
backward costs two forward (Kaplan et al., 2020, section 2.1).
"""

from core.settings import Config, MlipSettings, ModelSettings, ObjectiveSettings

LEAST_ON_RAY = 5e12  # a minute or two of one core: less is evaluated before Ray's actors have started
TRAINED = 3  # passes forward that a forward and a backward pass cost together


def step_flops(config: Config, tokens: float) -> float:
    """Of a training step, for each pair. tokens: word pieces of a text on the mean."""
    tokens = min(tokens, config.model.max_tokens)
    if config.objective.name == "mlip":
        return _mlip(config.model, config.mlip, tokens)
    again = 1 if config.train.gradient_checkpointing else 0
    return _blip(config.model, config.objective, tokens, passes=TRAINED + again)


def evaluation_flops(config: Config, tokens: float) -> float:
    """Of retrieval by a model of BLIP or MLIP, for each pair of the pool."""
    model, tokens = config.model, min(tokens, config.model.max_tokens)
    alone = _image(model, _patches(model)) + _text(model, tokens)
    matches = config.objective.name == "blip" and config.objective.itm > 0
    # Each pair asks with its image and with its text; what a layer sees of an image is computed once an image.
    asked = 2 * config.evaluate.rerank if matches else 0
    return alone + asked * (_text(model, tokens) + model.text_depth * _looking(model, tokens))


def _blip(model: ModelSettings, objective: ObjectiveSettings, tokens: float, *, passes: int) -> float:
    """BLIP's: three matchings and one reading of the share that the fusion encoder sees, and the momentum encoders."""
    alone = _image(model, _patches(model)) + _text(model, tokens)
    fused = _text(model, tokens) + model.text_depth * (_looking(model, tokens) + _seen(model))
    told = tokens * (objective.mlm_probability if objective.text_objective == "mlm" else 1)
    words = 2 * told * model.text_width * (model.text_width + model.vocabulary)
    fusions = (3 * fused if objective.itm else 0) + (fused + words if objective.text else 0)
    follows = objective.itc > 0 and (objective.alpha > 0 or objective.queue != 0)
    return passes * (alone + objective.fusion_share * fusions) + (alone if follows else 0)


def _mlip(model: ModelSettings, mlip: MlipSettings, tokens: float) -> float:
    """MLIP's: the visible patches, the text, the decoder of all patches. The sentences' transport is no part of it."""
    patches, width = _patches(model), mlip.decoder_width
    kept = int(patches * (1 - mlip.mask_ratio))
    decoder = layers(patches + 1, width, mlip.decoder_depth)
    decoder += 2 * width * (kept * model.image_width + patches * 3 * model.patch**2)
    return TRAINED * (_image(model, kept) + _text(model, tokens) + (decoder if mlip.mip else 0))


def layers(tokens: float, width: int, depth: int) -> float:
    """Of so many layers of a transformer, four times wider inside: one pass forward of a sequence of tokens."""
    return depth * (24 * tokens * width**2 + 4 * tokens**2 * width)


def _patches(model: ModelSettings) -> int:
    return (model.image_size // model.patch) ** 2


def _image(model: ModelSettings, seen: float) -> float:
    """The image encoder, so many patches seen; all are embedded."""
    embedding = 2 * _patches(model) * 3 * model.patch**2 * model.image_width
    return embedding + layers(seen + 1, model.image_width, model.image_depth)


def _text(model: ModelSettings, tokens: float) -> float:
    return layers(tokens, model.text_width, model.text_depth)


def _looking(model: ModelSettings, tokens: float) -> float:
    """A layer's cross-attention, of the text's side: what it asks and what it is answered."""
    return 4 * tokens * model.text_width**2 + 4 * tokens * (_patches(model) + 1) * model.text_width


def _seen(model: ModelSettings) -> float:
    """A layer's cross-attention, of the image's side: keys and values."""
    return 4 * (_patches(model) + 1) * model.image_width * model.text_width
