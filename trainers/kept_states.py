"""What a frozen encoder makes of an image or a text, computed once: kept in memory, and in a folder where one is named.

Known by a digest of what goes in and of the encoder's weights. States are rounded to float16, the first time too, so
that a training with kept states and one without take the same steps.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

MOST = 2 * 2**30  # bytes that are held in memory; beyond them the oldest go
Make = Callable[[Tensor], Tensor]  # rows (R,) -> their states (R, L, W)


class KeptStates:
    """States of one encoder by digest."""

    def __init__(self, folder: Path | None = None, *, most: int = MOST) -> None:
        self.folder, self.most, self.held = folder, most, 0
        self.states: dict[str, Tensor] = {}

    def of(self, keys: Sequence[str], lengths: Sequence[int], make: Make, device: torch.device) -> Tensor:
        """(N, L, W) float32, 0 beyond a row's length; make() is asked for what is not kept.

        keys: of each row. lengths: how many of a row's states are to be kept.
        """
        known = {key: states for key in dict.fromkeys(keys) if (states := self._find(key)) is not None}
        missing = [row for key, row in {key: row for row, key in enumerate(keys)}.items() if key not in known]
        if missing:
            with torch.no_grad():
                made = make(torch.tensor(missing)).half().cpu()
            for states, row in zip(made, missing, strict=True):
                known[keys[row]] = states[: lengths[row]].clone()
                self._keep(keys[row], known[keys[row]])
        return pad_sequence([known[key] for key in keys], batch_first=True).to(device).float()

    def _find(self, key: str) -> Tensor | None:
        if key not in self.states and self.folder is not None and (file := self.folder / f"{key}.npy").exists():
            self._hold(key, torch.from_numpy(np.load(file)))
        return self.states.get(key)

    def _keep(self, key: str, states: Tensor) -> None:
        self._hold(key, states)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self.folder / f"{key}.{id(self):x}.part"
            with draft.open("wb") as file:
                np.save(file, states.numpy())
            draft.rename(self.folder / f"{key}.npy")

    def _hold(self, key: str, states: Tensor) -> None:
        self.states[key] = states
        self.held += states.nbytes
        while self.held > self.most and len(self.states) > 1:
            self.held -= self.states.pop(next(iter(self.states))).nbytes


STORES: dict[str, KeptStates] = {}  # of this process, by the digest of an encoder's weights


def kept_by(weights: str, folder: str | None) -> KeptStates:
    """What this process keeps of the encoder with these weights: one model after another finds it.

    folder: where it is kept too, where none was named yet.
    """
    store = STORES.setdefault(weights, KeptStates())
    if folder and store.folder is None:
        store.folder = Path(folder) / weights
    return store


def digest_of(module: nn.Module, *, without: str = "\0") -> str:
    """Of a module's weights, but those with a word in their names."""
    found = blake2b(digest_size=8)
    for name, value in sorted(module.state_dict().items()):
        if without in name:
            continue
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().numpy())
    return found.hexdigest()


def keys_of(*rows: Tensor) -> list[str]:
    """A digest of each row of tensors (N, ...)."""
    parts = [each.detach().cpu().contiguous().numpy() for each in rows]
    keys = []
    for number in range(len(parts[0])):
        found = blake2b(digest_size=12)
        for part in parts:
            found.update(part[number])
        keys.append(found.hexdigest())
    return keys
