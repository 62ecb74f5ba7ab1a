"""The image model: a small U-Net that is shown a noisy picture and says what the clean one is."""

import math

import torch
from torch import nn
from torch.nn import functional

from localcloud.foundation_models.picture_words import BACKGROUNDS, COLOURS, PLACES, SHAPES, SIZES
from training.sketch import Sketch

PATCH = 4  # pixels each way that become one cell


class Block(nn.Module):
    """Two convolutions around a residual; the condition scales and shifts what is between them."""

    def __init__(self, width: int, condition: int):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.norms = nn.ModuleList([nn.GroupNorm(8, width) for _ in range(2)])
        self.modulation = nn.Linear(condition, 2 * width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        scale, shift = self.modulation(condition)[:, :, None, None].chunk(2, 1)
        h = self.first(functional.silu(self.norms[0](x)))
        h = self.norms[1](h) * (1 + scale) + shift
        return x + self.second(functional.silu(h))


class Denoiser(nn.Module):
    """(pictures (n, 3, 48, 48) with noise, noise level (n,) in 0..1, words (n, 5)) -> clean pictures.

    The words are numbers as of `Description.numbers`.
    """

    def __init__(self, widths: tuple[int, int, int] = (56, 96, 144), condition: int = 192):
        super().__init__()
        a, b, c = widths
        sizes = [len(words) + 1 for words in (SHAPES, COLOURS, BACKGROUNDS, PLACES, SIZES)]
        self.words = nn.ModuleList([nn.Embedding(size, 32) for size in sizes])
        self.register_buffer("frequencies", torch.exp(torch.linspace(0, math.log(200), 16)), False)
        self.condition = nn.Sequential(
            nn.Linear(32 * len(sizes) + 32, condition),
            nn.SiLU(),
            nn.Linear(condition, condition),
            nn.SiLU(),
        )
        self.enter = nn.Conv2d(3 * PATCH**2, a, 3, padding=1)
        # A word of place is known as a map of features: convolutions alone don't know where they are.
        self.maps = nn.ModuleList(
            [nn.Embedding(len(PLACES) + 1, w * g * g) for w, g in ((a, 12), (b, 6), (c, 3))]
        )
        for embed in self.maps:
            nn.init.normal_(embed.weight, std=0.05)
        self.down = nn.ModuleList([Block(a, condition), Block(b, condition), Block(b, condition)])
        self.shrink = nn.ModuleList([nn.Conv2d(a, b, 2, 2), nn.Conv2d(b, c, 2, 2)])
        self.middle = nn.ModuleList([Block(c, condition), Block(c, condition)])
        self.grow = nn.ModuleList([nn.ConvTranspose2d(c, b, 2, 2), nn.ConvTranspose2d(b, a, 2, 2)])
        self.up = nn.ModuleList(
            [Block(b, condition), Block(b, condition), Block(a, condition), Block(a, condition)]
        )
        self.leave = nn.Sequential(
            nn.GroupNorm(8, a), nn.SiLU(), nn.Conv2d(a, 3 * PATCH**2, 3, padding=1)
        )
        nn.init.zeros_(self.leave[2].weight)
        # Without it the shapes took many times as long to learn as everything else.
        self.sketch = Sketch().requires_grad_(False)
        self.sketched = nn.ModuleList(
            [nn.Conv2d(4, a, 3, padding=1), nn.Conv2d(16, b, 1), nn.Conv2d(4, a, 3, padding=1)]
        )
        for layer in self.sketched:
            nn.init.zeros_(layer.weight)

    def forward(
        self, noisy: torch.Tensor, level: torch.Tensor, words: torch.Tensor
    ) -> torch.Tensor:
        angles = level[:, None] * self.frequencies
        told = [embed(words[:, i]) for i, embed in enumerate(self.words)]
        c = self.condition(torch.cat([*told, angles.sin(), angles.cos()], 1))

        def placed(h: torch.Tensor, embed: nn.Embedding) -> torch.Tensor:
            return h + embed(words[:, 3]).view(h.shape)

        h12 = placed(self.enter(functional.pixel_unshuffle(noisy, PATCH)), self.maps[0])
        sketch = self.sketch(words).sigmoid()
        fine = functional.pixel_unshuffle(sketch, 2)
        h12 = self.down[0](h12 + self.sketched[0](fine), c)
        h6 = placed(self.shrink[0](h12), self.maps[1])
        h6 = h6 + self.sketched[1](functional.pixel_unshuffle(sketch, 4))
        h6 = self.down[2](self.down[1](h6, c), c)
        h3 = placed(self.shrink[1](h6), self.maps[2])
        for block in self.middle:
            h3 = block(h3, c)
        h6 = self.up[1](self.up[0](h6 + self.grow[0](h3), c), c)
        h12 = self.up[3](self.up[2](h12 + self.sketched[2](fine) + self.grow[1](h6), c), c)
        return functional.pixel_shuffle(self.leave(h12), PATCH)
