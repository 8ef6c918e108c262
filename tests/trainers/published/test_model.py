"""Images are normalised and texts filled up as the library's model learnt."""

import torch
from torch import Tensor, nn

from trainers.batch import Collate
from trainers.published.model import Published, Texts, settings_for


def test_texts_are_filled_up_without_a_mask_and_images_have_the_colours_of_the_library() -> None:
    seen: list[Tensor] = []

    def texts(tokens: Tensor, mask: Tensor) -> Tensor:
        seen.extend([tokens, mask])
        return torch.ones(len(tokens), 4)

    model = Published(
        settings_for(size=16, tokens=8, width=4),
        nn.Identity(),
        images=lambda images: images.mean(dim=(2, 3)).repeat(1, 2)[:, :4],
        texts=texts,
        mean=[0.5, 0.5, 0.25],
        deviation=[0.5, 0.25, 0.25],
        pad=9,
    )
    words = Texts(lambda given, most: [list(range(1, min(len(each), most) + 1)) for each in given], pad=9)
    found = model.embed_texts(*Collate(words, 16, 8).tokenize(["a", "abc"]))  # type: ignore[arg-type]
    assert seen[0].tolist() == [[1, 9, 9, 9, 9, 9, 9, 9], [1, 2, 3, 9, 9, 9, 9, 9]] and seen[1].all()
    assert torch.allclose(found.norm(dim=1), torch.ones(2))
    _, states = model.embed_images(torch.ones(1, 3, 16, 16))  # white
    assert states.shape == (1, 2, 4) and torch.allclose(states[0, 0], torch.tensor([1.0, 2.0, 3.0, 1.0]))
