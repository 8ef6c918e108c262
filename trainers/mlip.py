"""MLIP's model (section 2): towers, the integrity phi of patches (2.1), a decoder of hidden patches (2.3; MAE)."""

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from core.settings import MlipSettings, ModelSettings
from trainers.encoders import TextBert, begin_as_mae, begin_linear_as_mae, sine_places, text_config
from trainers.losses.transport import sentence_means
from trainers.towers import Towers


class Mlip(Towers):
    """The towers, of which the image encoder can leave out patches; phi; the decoder, where it is trained."""

    def __init__(self, settings: ModelSettings, mlip: MlipSettings) -> None:
        super().__init__(settings)
        begin_as_mae(self.image_encoder)
        self.hides_first, self.keeps_masked = mlip.mip > 0, mlip.masks is not None
        self.reads_sentences, self.sentence_weights = mlip.spm > 0, mlip.sentence_weights
        grid = settings.image_size // settings.patch
        start = torch.tensor(mlip.temperature).log()
        self.log_temperature = nn.Parameter(start, requires_grad=mlip.learn_temperature)
        # Zeros: every patch counts alike until the data say otherwise; phi is known up to a constant alone.
        self.phi = nn.Parameter(torch.zeros(grid**2), requires_grad=mlip.integrity != "off")
        self.decoder = PatchDecoder(settings, mlip, grid=grid) if mlip.mip > 0 else None

    def make_text_encoder(self) -> TextBert:
        """A BERT that reads text alone."""
        # In proportion to the width, as begin_as_mae: what 0.02 is to a BERT-base.
        config = text_config(self.settings, fused=False, spread=0.02 * (768 / self.settings.text_width) ** 0.5)
        return TextBert(config, pooler=self.settings.text_pool == "pooler")

    @property
    def temperature(self) -> Tensor:
        """By which similarities are divided."""
        return self.log_temperature.exp()

    def local_images(self, states: Tensor) -> Tensor:
        """v' of eq. 7, (N, K, E), of states (N, 1 + K, image_width): the patches without the first state."""
        local: Tensor = self.image_head(states[:, 1:])
        return local

    def local_texts(self, states: Tensor, sentence_of: Tensor) -> tuple[Tensor, Tensor]:
        """t^ of eq. 7: the mean of each sentence's tokens, (N, S, E), and which sentences there are, (N, S) bool.

        states: (N, T, text_width). sentence_of: (N, T) int64, -1 for tokens of no sentence.
        """
        means, present = sentence_means(states, sentence_of)
        local: Tensor = self.text_head(means)
        return local, present

    def patches(self, images: Tensor) -> Tensor:
        """(N, P, E) of images (N, 3, H, W), all patches seen; not of unit length."""
        return self.local_images(self.image_states(images))

    def sentences(self, tokens: Tensor, mask: Tensor, sentence_of: Tensor) -> tuple[Tensor, Tensor]:
        """(N, S, E), not of unit length, and (N, S) bool, of tokens, mask and sentence_of (N, T)."""
        return self.local_texts(self.text_states(tokens, mask), sentence_of)


class PatchDecoder(nn.Module):
    """From the states of visible patches to the pixels of all (He et al., 2022: MAE, section 3)."""

    places: Tensor

    def __init__(self, settings: ModelSettings, mlip: MlipSettings, *, grid: int) -> None:
        super().__init__()
        width = mlip.decoder_width
        self.enter = nn.Linear(settings.image_width, width)
        self.hidden = nn.Parameter(torch.zeros(1, 1, width))
        nn.init.normal_(self.hidden, std=0.02)
        self.register_buffer("places", sine_places(grid, width), persistent=False)  # (1, 1 + P, width), fixed
        self.blocks = nn.Sequential(
            *(Block(width, mlip.decoder_heads, qkv_bias=True) for _ in range(mlip.decoder_depth))
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pixels = nn.Linear(width, 3 * settings.patch**2)
        begin_linear_as_mae(self)

    def forward(self, states: Tensor, kept: Tensor) -> Tensor:
        """states: (N, 1 + K, image_width), of the patches kept (N, K). Returns pixels (N, P, 3 * patch^2)."""
        seen = self.enter(states)  # (N, 1 + K, width)
        n, _, width = seen.shape
        every = self.hidden.to(seen.dtype).expand(n, self.places.shape[1] - 1, width)
        every = every.scatter(1, kept[..., None].expand(-1, -1, width), seen[:, 1:])
        decoded = self.norm(self.blocks(torch.cat([seen[:, :1], every], dim=1) + self.places))
        pixels: Tensor = self.pixels(decoded[:, 1:])
        return pixels
