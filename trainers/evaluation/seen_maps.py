"""Which patches bring an image nearer to a sentence: it is seen through random masks (RISE; Petsiuk et al., 2018).

MLIP learns from images of which patches are hidden, so its encoder takes such views as they are. Where the cosine of a
patch shows what a patch has become after all layers, this shows what the whole image's embedding rests on.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize
from transformers import PreTrainedTokenizerFast

from trainers.batch import Collate
from trainers.checkpoint import load_model
from trainers.evaluation.radiographs import refuse_seen
from trainers.evaluation.sentence_maps import Pointing, PromptsOf, point_by
from trainers.towers import Towers

VIEWS = 128  # of each image; with twice as many the hits on the drawn films stay as they are


def point_seen(
    folder: str | Path,
    *,
    files: Sequence[str],
    prompts: PromptsOf,
    batch_size: int,
    resamples: int,
    seed: int,
    device: str = "cpu",
) -> Pointing:
    """What point_by() finds of the model in a folder, by seen_maps() of its prompts.

    Raises LeakError if the model was trained on a patient of the files, UserError as of point_by().
    """
    refuse_seen(folder, files)
    model, tokenizer = load_model(folder)
    texts = torch.stack([prompt_vector(model.to(device), tokenizer, each) for each in prompts.values()])
    return point_by(
        lambda images: seen_maps(model, images, texts, views=VIEWS, seed=seed),
        list(prompts),
        settings=model.settings,
        files=files,
        batch_size=batch_size,
        resamples=resamples,
        seed=seed,
        device=device,
    )


@torch.no_grad()
def prompt_vector(model: Towers, tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str]) -> Tensor:
    """(E,), unit length: the mean of what several prompts that say the same are embedded as."""
    collate = Collate(tokenizer, model.settings.image_size, model.settings.max_tokens)
    device = next(model.parameters()).device
    return normalize(model.embed_texts(*(each.to(device) for each in collate.tokenize(list(prompts)))).mean(0), dim=0)


@torch.no_grad()
def seen_maps(model: Towers, images: Tensor, texts: Tensor, *, views: int, seed: int) -> Tensor:
    """(N, F, P): the cosine of image and text, mean over the views that show a patch less that over those that hide it.

    images: (N, 3, H, W), -1 to 1. texts: (F, E), unit length. Each view shows half of the patches, drawn by the seed,
    the same for all images.
    """
    patches = (images.shape[-1] // model.settings.patch) ** 2
    draw = torch.Generator().manual_seed(seed)
    shown = torch.stack([torch.randperm(patches, generator=draw)[: patches // 2] for _ in range(views)])  # (V, K)
    shows = torch.zeros(views, patches).scatter(1, shown, 1.0).to(images.device)  # (V, P)
    weights = shows / shows.sum(dim=0) - (1 - shows) / (1 - shows).sum(dim=0)  # (V, P)
    kept = shown.to(images.device)
    return torch.stack([_cosines(model, image, kept, texts).T @ weights for image in images])


def _cosines(model: Towers, image: Tensor, kept: Tensor, texts: Tensor) -> Tensor:
    """(V, F): of an image (3, H, W), seen V times, and the texts. kept: (V, K)."""
    states = model.image_states(image.expand(len(kept), -1, -1, -1), kept)
    return normalize(model.image_vectors(states), dim=-1) @ texts.T
