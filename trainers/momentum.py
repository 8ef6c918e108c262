"""Momentum encoders and the queue of their keys (MoCo; ALBEF, section 3.2; BLIP, models/blip_pretrain.py)."""

import torch
from torch import Tensor, nn

from trainers.blip import FusionTowers
from trainers.losses.contrastive import Keys


class Momentum(nn.Module):
    """A copy of the towers that follows them slowly, without gradient and without dropout."""

    def __init__(self, online: FusionTowers) -> None:
        super().__init__()
        self.towers = FusionTowers(online.settings)
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
    def embed(self, images: Tensor, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (N, E) of images and of texts."""
        return self.towers.embed_images(images)[0], self.towers.embed_texts(tokens, mask)


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
