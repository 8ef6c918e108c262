"""Two encoders with a shared space: what every model of figray is evaluated by."""

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, pad

from core.settings import ModelSettings
from trainers.encoders import CROSS, POOLS, TextBert, image_encoder, visible_states
from trainers.kept_states import KeptStates, digest_of, kept_by, keys_of

UNKNOWN = "published elsewhere: what it was trained on is not known here, and articles of this pool may be among it"
COLDEST, WARMEST = 0.001, 0.5  # a learnable temperature stays between them (BLIP, models/blip_pretrain.py)


class Towers(nn.Module):
    """Images and texts, each alone, into one space."""

    matches = False  # whether there is a head, trained, that says whether a text belongs to an image
    hides_first = False  # whether patches are hidden before a frozen image encoder too
    keeps_masked = False  # whether what it then makes of the visible ones is kept: the masks are few
    note = ""  # what is to be known of numbers that it gets
    text_encoder: TextBert

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        self.kept: dict[str, KeptStates] = {}  # by side, of encoders that stay whole
        self.pool_image = POOLS[settings.pool]
        self.image_encoder = image_encoder(
            size=settings.image_size,
            patch=settings.patch,
            width=settings.image_width,
            depth=settings.image_depth,
            heads=settings.image_heads,
            eps=settings.image_eps,
            layer_scale=settings.layer_scale,
        )
        self.text_encoder = self.make_text_encoder()
        width, layers = settings.embedding, settings.head_layers
        self.image_head = head(settings.image_width, width, layers) if width else nn.Identity()
        self.text_head = head(settings.text_width, width, layers) if width else nn.Identity()

    def make_text_encoder(self) -> TextBert:
        """The text encoder, from scratch."""
        raise NotImplementedError

    def image_states(self, images: Tensor, kept: Tensor | None = None) -> Tensor:
        """images: (N, 3, H, W). kept: (N, K) int64, the patches to see; None: all P. (N, 1 + K, image_width)."""
        if "image" in self.kept:
            return self._frozen_image_states(images, kept)
        return self._image_states(images, kept)

    def _image_states(self, images: Tensor, kept: Tensor | None) -> Tensor:
        if kept is None:
            states: Tensor = self.image_encoder(images)
            return states
        return visible_states(self.image_encoder, images, kept)

    def _frozen_image_states(self, images: Tensor, kept: Tensor | None) -> Tensor:
        """The same of an encoder that stays whole: patches are hidden after it, unless hides_first."""
        hidden = kept if self.hides_first else None
        if hidden is not None and not self.keeps_masked:
            with torch.no_grad():
                return self._image_states(images, hidden)
        states = self.kept["image"].of(
            keys_of(images) if hidden is None else keys_of(images, hidden),
            [1 + self.patch_count if hidden is None else 1 + hidden.shape[1]] * len(images),
            lambda rows: self._image_states(images[rows], None if hidden is None else hidden[rows]),
            images.device,
        )
        if kept is None or hidden is not None:
            return states
        chosen = states[:, 1:].gather(1, kept[..., None].expand(-1, -1, states.shape[-1]))
        return torch.cat([states[:, :1], chosen], dim=1)

    @property
    def patch_count(self) -> int:
        """Of an image."""
        return (self.settings.image_size // self.settings.patch) ** 2

    def text_states(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(N, T, text_width) of tokens and mask (N, T), the text alone."""
        if "text" not in self.kept:
            states: Tensor = self.text_encoder(tokens, mask)
            return states
        lengths = mask.sum(dim=1).tolist()
        keys = [keys_of(row[None, :length])[0] for row, length in zip(tokens, lengths, strict=True)]
        make = self.text_encoder
        kept = self.kept["text"].of(keys, lengths, lambda rows: make(tokens[rows], mask[rows]), tokens.device)
        return pad(kept, (0, 0, 0, tokens.shape[1] - kept.shape[1]))

    def keep(self, sides: Collection[str], folder: str | None = None) -> None:
        """From now on the encoders of these sides stay whole, and what they make is kept, in a folder too."""
        encoders: dict[str, nn.Module] = {"image": self.image_encoder, "text": self.text_encoder}
        self.kept = {side: kept_by(digest_of(encoders[side], without=CROSS), folder) for side in sides}

    def image_vectors(self, states: Tensor) -> Tensor:
        """(N, E) of states (N, 1 + K, image_width), of any length."""
        patches = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        patches[:, 0] = False  # the first state is the whole image's
        if self.settings.head_first:
            return self.pool_image(self.image_head(states), patches).float()
        vectors: Tensor = self.image_head(self.pool_image(states, patches))
        return vectors.float()

    def text_vectors(self, states: Tensor, mask: Tensor) -> Tensor:
        """(N, E) of states (N, T, text_width), of any length. mask: (N, T)."""
        vectors: Tensor = self.text_head(self.pool_text(states, mask))
        return vectors.float()

    def pool_text(self, states: Tensor, mask: Tensor) -> Tensor:
        """(N, text_width)."""
        how = self.settings.text_pool or self.settings.pool
        return self.text_encoder.pooler(states) if how == "pooler" else POOLS[how](states, mask)

    def embed_images(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images: (N, 3, H, W). Returns embeddings (N, E) of unit length and the states (N, 1 + P, image_width)."""
        states = self.image_states(images)
        return normalize(self.image_vectors(states), dim=-1), states

    def embed_texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens, mask: (N, T). Returns embeddings (N, E) of unit length."""
        return normalize(self.text_vectors(self.text_states(tokens, mask), mask), dim=-1)


def head(width: int, embedding: int, layers: int) -> nn.Module:
    """From an encoder's width into the shared space, by one layer or by two."""
    last = nn.Linear(width, embedding)
    return last if layers == 1 else nn.Sequential(nn.Linear(width, width), nn.GELU(), last)
