"""Momentum encoders and the queue of their keys (MoCo; ALBEF, section 3.2; BLIP, models/blip_pretrain.py)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.settings import ObjectiveSettings
from trainers.blip import Blip, FusionTowers
from trainers.losses.contrastive import Keys


class Seen(NamedTuple):
    """What the momentum encoders make of N pairs, and how much that counts."""

    image: Tensor  # (N, E), unit length
    text: Tensor  # (N, E), unit length
    states: Tensor  # (N, P, image_width)
    alpha: float


class Momentum(nn.Module):
    """A copy of the towers that follows them slowly, without gradient and without dropout."""

    def __init__(self, online: FusionTowers, *, words: ObjectiveSettings | None = None) -> None:
        """words: the objective of a Blip whose heads are to follow too, for masked_words(); None: the towers alone."""
        super().__init__()
        self.towers = Blip(online.settings, words) if words else FusionTowers(online.settings)
        kept = self.towers.state_dict().keys()
        self.towers.load_state_dict({name: value for name, value in online.state_dict().items() if name in kept})
        self.to(next(online.parameters()).device).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Momentum":
        """Stays as in evaluation, whatever its owner does: what the keys are must not depend on dropout."""
        return super().train(False)

    @torch.no_grad()
    def follow(self, online: FusionTowers, momentum: float) -> None:
        """Each weight becomes momentum * itself + (1 - momentum) * the online one."""
        theirs = dict(online.named_parameters())
        own = dict(self.towers.named_parameters())
        torch._foreach_lerp_(list(own.values()), [theirs[name] for name in own], 1 - momentum)
        for name, buffer in self.towers.named_buffers():
            buffer.copy_(online.get_buffer(name))

    @torch.no_grad()
    def see(self, images: Tensor, tokens: Tensor, mask: Tensor, *, alpha: float) -> Seen:
        """Images and texts, each alone. images: (N, 3, H, W). tokens, mask: (N, T)."""
        image, states = self.towers.embed_images(images)
        return Seen(image, self.towers.embed_texts(tokens, mask), states, alpha)

    @torch.no_grad()
    def masked_words(self, states: Tensor, hidden: Tensor, mask: Tensor, chosen: Tensor) -> Tensor:
        """(K, V) logits as of Blip.masked_words(), where its heads follow."""
        assert isinstance(self.towers, Blip)
        return self.towers.masked_words(states, hidden, mask, chosen)


class KeyQueue(nn.Module):
    """The last keys of earlier batches, at most `size`; a batch of any length enters, the oldest keys leave."""

    image: Tensor
    text: Tensor
    text_group: Tensor
    pushed: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("image", torch.zeros(size, width))
        self.register_buffer("text", torch.zeros(size, width))
        self.register_buffer("text_group", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("pushed", torch.zeros((), dtype=torch.int64))  # keys ever

    def keys(self) -> Keys:
        """What is in it; nothing before the first push, so that no random key counts."""
        filled = min(self.size, int(self.pushed))
        return Keys(self.image[:filled], self.text[:filled], self.text_group[:filled], fresh=0)

    @torch.no_grad()
    def push(self, keys: Keys) -> None:
        """Let the keys in, in their order."""
        if not self.size:
            return
        coming = len(keys.text_group)
        kept = slice(max(0, coming - self.size), None)
        at = (int(self.pushed) + torch.arange(coming, device=self.text_group.device)[kept]) % self.size
        for place, value in ((self.image, keys.image), (self.text, keys.text)):
            place[at] = value[kept].detach().to(place.dtype)
        self.text_group[at] = keys.text_group[kept]
        self.pushed += coming
