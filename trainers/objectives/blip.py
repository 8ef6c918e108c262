"""What BLIP minimises (Li et al., 2022, section 3.2): ITC + ITM + MLM as MedVL, section 3, says, or LM as its code.

All workers draw the same numbers for the batch of all of them, and each judges the pairs whose image it holds: W
workers have the losses and the gradients that one would have with the whole batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import ceil

import torch
from torch import Tensor
from torch.nn.functional import pad

from core.settings import ObjectiveSettings
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.losses.contrastive import Keys, Teacher, gather, image_text_contrast
from trainers.losses.masked import Masking, distilled_word_loss, mask_tokens, word_loss
from trainers.losses.matching import Matches, draw_matches, matching_loss, may_be_negative
from trainers.momentum import KeyQueue, Momentum, Seen
from trainers.objectives.objective import Objective, Term, rank, workers


@dataclass(frozen=True)
class Encoded:
    """A worker's batch, each side alone."""

    image: Tensor  # (N, E), unit length
    text: Tensor  # (N, E), unit length
    states: Tensor  # (N, P, image_width)


@dataclass(frozen=True)
class Drawn:
    """The chances of one step, the same on every worker; M pairs of W workers, of which this one holds N."""

    tokens: Tensor  # (M, T)
    mask: Tensor  # (M, T)
    matches: Matches  # those whose image is here: `image` below N, `text` below M
    n_matches: int  # of all workers
    hidden: Tensor  # (F, T), for MLM
    chosen: Tensor  # (F, T) bool
    n_chosen: int  # of all workers
    n_words: int  # of all workers, for LM


class BlipObjective(Objective):
    """ITC, ITM, and MLM or LM; holds the momentum encoders and the queue."""

    model: Blip

    def __init__(
        self,
        model: Blip,
        settings: ObjectiveSettings,
        *,
        masking: Masking,
        queue: int = 0,
        epoch: int = 0,
        seed: int = 0,
    ) -> None:
        """model: its weights are those to begin with. queue: keys. epoch: its steps."""
        super().__init__()
        self.model = model
        self.settings = settings
        self.masking = masking
        self.epoch, self.seed = epoch, seed
        self.weights = {"itc": settings.itc, "itm": settings.itm, settings.text_objective: settings.text}
        follows = settings.itc > 0 and (settings.alpha > 0 or queue > 0)
        distils = settings.distil_words and settings.text > 0
        words = settings if distils else None
        self.momentum = Momentum(model, words=words) if follows or distils else None
        self.queue = KeyQueue(queue if follows else 0, model.settings.embedding)

    @torch.no_grad()
    def begin_step(self) -> None:
        """Once before each step's losses: the momentum encoders go one step on."""
        super().begin_step()
        if self.momentum and self.training:
            self.momentum.follow(self.model, self.settings.momentum)

    def encode(self, batch: Batch, step: int = 0) -> Encoded:
        """The online encoders' view of a batch or of a part of it."""
        image, states = self.model.embed_images(batch.images)
        return Encoded(image, self.model.embed_texts(batch.tokens, batch.mask), states)

    def terms(self, batch: Batch, encoded: Encoded, step: int, *, parts: int = 1) -> Iterator[Term]:
        """The losses of a whole batch, the fusion encoder's in so many parts."""
        drawn = self.draw(batch, encoded, step)
        seen = self.see(batch, step)
        if self.weights["itc"] > 0:
            yield "itc", partial(self.contrast, batch, encoded, seen)
        every = torch.arange(max(len(drawn.matches.image), len(batch)), device=batch.images.device)
        if self.weights["itm"] > 0:
            for rows in every[: len(drawn.matches.image)].chunk(parts):
                yield "itm", partial(self.match, encoded, drawn, drawn.matches.at(rows))
        if self.settings.text > 0:
            for rows in every[: self.fused(len(batch))].chunk(parts):
                yield self.settings.text_objective, partial(self.read, batch, encoded, drawn, rows, seen)

    def see(self, batch: Batch, step: int) -> Seen | None:
        """The momentum encoders' view of a batch, where there are any."""
        if self.momentum is None:
            return None
        alpha = self.settings.alpha * risen(step, self.settings.alpha_epochs * self.epoch)
        return self.momentum.see(batch.images, batch.tokens, batch.mask, alpha=alpha)

    def contrast(self, batch: Batch, encoded: Encoded, seen: Seen | None) -> Tensor:
        """ITC, against the batch of all workers and the queue, which then takes the batch in (BLIP, section 3.2)."""
        with torch.autocast(encoded.image.device.type, enabled=False):
            text_group = gather(self._alike(batch))
            if seen is None:
                keys = Keys(gather(encoded.image), gather(encoded.text), text_group, fresh=len(text_group))
                return self._contrast(batch, encoded, keys, None)
        fresh = Keys(gather(seen.image), gather(seen.text), text_group, fresh=len(text_group))
        with torch.autocast(encoded.image.device.type, enabled=False):
            loss = self._contrast(batch, encoded, fresh + self.queue.keys(), Teacher(seen.image, seen.text, seen.alpha))
        if self.training:
            self.queue.push(fresh)
        return loss

    def _contrast(self, batch: Batch, encoded: Encoded, keys: Keys, teacher: Teacher | None) -> Tensor:
        return image_text_contrast(
            encoded.image,
            encoded.text,
            keys,
            text_group=self._alike(batch),
            temperature=self.model.temperature,
            teacher=teacher,
        )

    def _alike(self, batch: Batch) -> Tensor:
        """(N,) equal for pairs that are each other's positives: of one text, or of one figure as BLIP's fine-tuning."""
        return batch.figure_group if self.settings.siblings == "positives" else batch.text_group

    @torch.no_grad()
    def draw(self, batch: Batch, encoded: Encoded, step: int) -> Drawn:
        """What is random in a step, a function of seed and step, over the batch of all workers."""
        generator = torch.Generator(batch.tokens.device).manual_seed(self.seed * 1_000_003 + step)
        n, first = len(batch), rank() * len(batch)
        longest = (0, self.model.settings.max_tokens - batch.tokens.shape[1])  # workers' lengths differ
        tokens, mask = gather(pad(batch.tokens, longest)), gather(pad(batch.mask, longest).byte()).bool()
        allowed = may_be_negative(gather(batch.text_group), gather(batch.figure_group))
        hardness = self.settings.hardness * risen(step, self.settings.hardness_epochs * self.epoch)
        scores = gather(encoded.image.detach()) @ gather(encoded.text.detach()).T * hardness / self.model.temperature
        every = torch.arange(len(tokens), device=tokens.device)
        fused = every[every % n < self.fused(n)]
        matches = draw_matches(scores, allowed, fused, generator)
        here = ((matches.image >= first) & (matches.image < first + n)).nonzero().squeeze(1)
        hidden, chosen = mask_tokens(tokens[fused], self.masking, generator)
        own, width = slice(rank() * self.fused(n), (rank() + 1) * self.fused(n)), batch.tokens.shape[1]
        return Drawn(
            tokens=tokens,
            mask=mask,
            matches=Matches(matches.image[here] - first, matches.text[here], matches.truth[here]),
            n_matches=len(matches.image),
            hidden=hidden[own, :width],
            chosen=chosen[own, :width],
            n_chosen=max(1, int(chosen.sum())),
            n_words=max(1, int(mask[fused, 1:].sum())),
        )

    def fused(self, n: int) -> int:
        """Of n pairs, how many the fusion encoder sees; batches are shuffled, so the first are any."""
        return max(1, ceil(self.settings.fusion_share * n - 1e-9))

    def match(self, encoded: Encoded, drawn: Drawn, matches: Matches) -> Tensor:
        """ITM's share of some of the drawn pairs: true pairs and negatives in one pass of the fusion encoder."""
        logits = self.model.match_logits(
            encoded.states[matches.image], drawn.tokens[matches.text], drawn.mask[matches.text]
        )
        return matching_loss(logits, matches.truth) * workers() / drawn.n_matches

    def read(self, batch: Batch, encoded: Encoded, drawn: Drawn, rows: Tensor, seen: Seen | None = None) -> Tensor:
        """The text objective's share of some rows of the batch; seen counts with distil_words alone."""
        states, tokens, mask = encoded.states[rows], batch.tokens[rows], batch.mask[rows]
        if self.settings.text_objective == "lm":
            logits = self.model.next_words(states, tokens, mask)
            loss = word_loss(logits, tokens[:, 1:][mask[:, 1:]], smoothing=self.settings.label_smoothing)
            return loss * workers() / drawn.n_words
        chosen = drawn.chosen[rows]
        logits, truth = self.model.masked_words(states, drawn.hidden[rows], mask, chosen), tokens[chosen]
        if not (self.settings.distil_words and self.momentum and seen):
            return word_loss(logits, truth) * workers() / drawn.n_chosen
        theirs = self.momentum.masked_words(seen.states[rows], drawn.hidden[rows], mask, chosen)
        return distilled_word_loss(logits, truth, theirs, seen.alpha) * workers() / drawn.n_chosen


def risen(step: int, steps: float) -> float:
    """How far something has risen that takes so many steps from 0 to 1, along a line (BLIP, pretrain.py)."""
    return min(1.0, step / steps) if steps else 1.0
