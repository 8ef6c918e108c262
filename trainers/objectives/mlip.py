"""What MLIP minimises (eq. 10): weighted contrast both ways, sentence-patch matching, masked image prediction.

One mask hides patches from all of it. Contrast and its weights are over the batch of all workers; W workers have the
losses and the gradients that one would have with the whole batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from core.settings import MlipSettings
from trainers.batch import Batch
from trainers.losses.contrastive import gather
from trainers.losses.integrity import integrity_scores, relative_weights, weight_entropy, weighted_contrast
from trainers.losses.reconstruction import masked_patch_loss
from trainers.losses.transport import (
    choice_loss,
    cosine_cost,
    free_costs,
    paired_cosine_cost,
    sentence_shares,
    transport_costs,
)
from trainers.mlip import Mlip
from trainers.objectives.objective import Objective, Term, rank, workers
from trainers.texts import number

WATCHED_EVERY = 50  # steps between looks at what matching costs with another report's sentences


@dataclass(frozen=True)
class Encoded:
    """A worker's batch, each side alone; of the image only the patches that were kept."""

    image: Tensor  # (N, E), of unit length if similarities are cosines
    text: Tensor  # (N, E)
    image_states: Tensor  # (N, 1 + K, image_width)
    text_states: Tensor  # (N, T, text_width)
    kept: Tensor  # (N, K) int64, these patches


class MlipObjective(Objective):
    """v2t and t2v, spm, mip; watched are the spread of the weights w and the cost of wrong sentences."""

    model: Mlip

    def __init__(self, model: Mlip, settings: MlipSettings, *, seed: int = 0) -> None:
        super().__init__()
        self.model, self.settings, self.seed = model, settings, seed
        self.weights = {name: getattr(settings, name) for name in ("v2t", "t2v", "spm", "mip")}
        self.rates = {"model.phi": settings.phi_rate}

    def kept(self, batch: Batch, step: int) -> Tensor:
        """(N, K) int64, the patches that each image keeps at a step of training; all of them in evaluation."""
        patches = len(self.model.phi)
        n = int(patches * (1 - self.settings.mask_ratio)) if self.training else patches  # as MAE
        seed = f"{self.seed}:{step}"
        if self.settings.masks is not None:
            seed = f"mask {number(seed) % self.settings.masks}"  # the same few for every seed
        return kept_patches(batch.pair_ids, seed, patches=patches, kept=n).to(batch.images.device)

    def encode(self, batch: Batch, step: int = 0) -> Encoded:
        """Both encoders' view of a batch or of a part of it, eq. 1."""
        kept = self.kept(batch, step)
        image_states = self.model.image_states(batch.images, kept)
        text_states = self.model.text_states(batch.tokens, batch.mask)
        image, text = self.model.image_vectors(image_states), self.model.text_vectors(text_states, batch.mask)
        if self.settings.similarity == "cosine":
            image, text = normalize(image, dim=-1), normalize(text, dim=-1)
        return Encoded(image, text, image_states, text_states, kept)

    def terms(self, batch: Batch, encoded: Encoded, step: int, *, parts: int = 1) -> Iterator[Term]:
        """The losses of a whole batch, those of single pairs in so many parts."""
        if self.weights["v2t"] > 0:
            yield "v2t", partial(self.contrast, batch, encoded, texts_ask=False)
        if self.weights["t2v"] > 0:
            yield "t2v", partial(self.contrast, batch, encoded, texts_ask=True)
        every = torch.arange(len(batch), device=batch.images.device)
        if self.weights["spm"] > 0:
            readable = gather((batch.sentence_of >= 0).any(dim=1)).sum()  # pairs with a sentence, of all workers
            for rows in every.chunk(parts):
                yield "spm", partial(self.match, batch, encoded, rows, readable)
            if step % WATCHED_EVERY == 0:
                self._watch_matching(batch, encoded)
        if self.weights["mip"] > 0:
            for rows in every.chunk(parts):
                yield "mip", partial(self.reconstruct, batch, encoded, rows)

    def contrast(self, batch: Batch, encoded: Encoded, *, texts_ask: bool) -> Tensor:
        """Eq. 5, or eq. 6 where texts ask for images."""
        queries, keys = (encoded.text, encoded.image) if texts_ask else (encoded.image, encoded.text)
        own = rank() * len(batch) + torch.arange(len(batch), device=queries.device)  # (N,), among the keys of all
        with torch.autocast(queries.device.type, enabled=False):
            scores = gather(integrity_scores(self.model.phi, encoded.kept))  # (M,)
            w = relative_weights(scores, self.settings.integrity)
            self._watch(scores.detach(), w.detach())
            by_image = texts_ask and self.settings.t2v_weight == "image"
            return weighted_contrast(
                queries,
                gather(keys),
                own,
                w[None, :] if by_image else w[own][:, None],
                temperature=self.model.temperature,
                left_out=self._copies(batch),
            )

    def _copies(self, batch: Batch) -> Tensor | None:
        """(N, M) bool, the keys whose text is that of the query; None where the published loss is wanted."""
        if self.settings.equal_texts == "negatives":
            return None
        return batch.text_group[:, None] == gather(batch.text_group)[None, :]

    def _watch(self, scores: Tensor, w: Tensor) -> None:
        if self.settings.integrity != "off":
            self.watched |= {"w_min": w.min(), "w_mean": w.mean(), "w_max": w.max()}
            self.watched["w_entropy"] = weight_entropy(scores)

    def match(self, batch: Batch, encoded: Encoded, rows: Tensor, readable: Tensor) -> Tensor:
        """Eq. 8's share of some rows: the mean is over the pairs of all workers that have a sentence."""
        local = self.model.local_images(encoded.image_states[rows])  # (R, K, E)
        own_texts = self.model.local_texts(encoded.text_states[rows], batch.sentence_of[rows])
        if not self.settings.spm_negatives:
            costs = self._costs(cosine_cost(local, own_texts[0]), self._shares(batch, own_texts[1], rows))
        else:
            costs = self._choice(batch, encoded, rows, local)
        return costs.sum() * workers() / readable.clamp(min=1)

    def _choice(self, batch: Batch, encoded: Encoded, rows: Tensor, local: Tensor) -> Tensor:
        """(R,): what it costs some rows to tell their own report from those of others by what matching costs."""
        sentences, shares = self._sentences(encoded, batch)
        own = rank() * len(batch) + rows
        wanted, every = self.settings.spm_negatives, len(sentences) - 1
        k = every if wanted == "all" else min(wanted, every)
        asked = (own[:, None] + torch.arange(1 + k, device=own.device)) % len(sentences)  # (R, 1 + k), the own first
        if wanted == "all":
            table = paired_cosine_cost(local, sentences)  # (R, M, K, S)
            costs = self._costs(table.flatten(0, 1), shares.repeat(len(rows), 1)).view(len(rows), -1).gather(1, asked)
        else:
            local, chosen = local.repeat_interleave(1 + k, dim=0), asked.flatten()
            costs = self._costs(cosine_cost(local, sentences[chosen]), shares[chosen]).view(-1, 1 + k)
        group = gather(batch.text_group)
        differs = group[asked] != group[own][:, None]
        differs[:, 0] = True
        return choice_loss(costs, (shares.sum(dim=1) > 0)[asked] & differs, temperature=self.model.temperature)

    def _sentences(self, encoded: Encoded, batch: Batch) -> tuple[Tensor, Tensor]:
        """The sentences of all workers' pairs, (M, S, E), and their shares, (M, S)."""
        sentences, present = self.model.local_texts(encoded.text_states, batch.sentence_of)
        most = int(gather(torch.tensor([present.shape[1]], device=present.device)).max())
        missing, shares = most - present.shape[1], self._shares(batch, present)
        with torch.autocast(present.device.type, enabled=False):
            return gather(pad(sentences.float(), (0, 0, 0, missing))), gather(pad(shares, (0, missing)))

    def _shares(self, batch: Batch, present: Tensor, rows: Tensor | None = None) -> Tensor:
        """(R, S): how much of the plan each sentence takes; see sentence_shares(). present: (R, S)."""
        every = slice(None) if rows is None else rows
        asserts = None if batch.asserts is None else batch.asserts[every]
        return sentence_shares(batch.sentence_of[every], present, asserts, silent=self.settings.silent_weight)

    def _costs(self, cost: Tensor, shares: Tensor) -> Tensor:
        """(N,) of cost (N, K, S) and the sentences' shares (N, S)."""
        settings = self.settings
        if settings.patch_sums == "free":
            return free_costs(cost, shares, temperature=settings.patch_temperature)
        return transport_costs(
            cost, shares, solver=settings.solver, beta=settings.transport_beta, steps=settings.transport_steps
        )

    @torch.no_grad()
    def _watch_matching(self, batch: Batch, encoded: Encoded) -> None:
        """What eq. 8 costs with a pair's own sentences and with the next one's: the same once all states are one."""
        local = self.model.local_images(encoded.image_states)
        sentences, present = self.model.local_texts(encoded.text_states, batch.sentence_of)
        readable = present.any(dim=1).sum().clamp(min=1)
        for name, shift in (("spm_own", 0), ("spm_shuffled", 1)):
            shares = self._shares(batch, present).roll(shift, 0)
            costs = self._costs(cosine_cost(local, sentences.roll(shift, 0)), shares)
            self.watched[name] = costs.sum() / readable

    def reconstruct(self, batch: Batch, encoded: Encoded, rows: Tensor) -> Tensor:
        """Eq. 9's share of some rows."""
        assert self.model.decoder is not None  # there with mlip.mip above 0
        kept = encoded.kept[rows]
        predicted = self.model.decoder(encoded.image_states[rows], kept)
        loss = masked_patch_loss(
            predicted,
            batch.images[rows],
            kept,
            patch=self.model.settings.patch,
            norm_pix=self.settings.norm_pix,
        )
        return loss * (len(rows) / len(batch))


def kept_patches(pair_ids: Sequence[str], seed: str, *, patches: int, kept: int) -> Tensor:
    """(N, K) int64: of P patches, K drawn for each image by seed and pair, whatever batch or worker it is in."""
    if kept == patches:
        return torch.arange(patches).expand(len(pair_ids), patches)
    drawn = [np.random.default_rng(number(f"{seed}:{pair}")).permutation(patches)[:kept] for pair in pair_ids]
    return torch.from_numpy(np.sort(np.stack(drawn), axis=1))
