"""Where to expect the object, from the words alone: trained first, and then a part of the model."""

import math

import torch
from torch import nn
from torch.nn import functional

from localcloud.foundation_models.picture_words import PLACES, SHAPES, SIZES
from training import scenes

CELLS = 24  # each way
FREQUENCIES = (1, 2, 4)


class Sketch(nn.Module):
    """(words (n, 5)) -> how likely the object is in each cell, as logits (n, 1, 24, 24).

    A cell knows its way to the place that is told, the shape and the size, and nothing of its neighbours:
    what is learned of a star at the left is known of a star at the right.
    """

    def __init__(self, width: int = 64):
        super().__init__()
        line = (torch.arange(CELLS) + 0.5) / CELLS
        self.register_buffer("cells", torch.stack(torch.meshgrid(line, line, indexing="xy")), False)
        points = [(0.5, 0.5), *(scenes.where(place) for place in PLACES)]
        self.register_buffer("points", torch.tensor(points), False)
        inputs = 4 + 4 * len(FREQUENCIES)
        self.layers = nn.ModuleList([nn.Conv2d(n, width, 1) for n in (inputs, width, width)])
        words = (len(SHAPES) + 1) * (len(SIZES) + 1) * 2
        self.modulations = nn.ModuleList([nn.Embedding(words, 2 * width) for _ in self.layers])
        for modulation in self.modulations:
            nn.init.normal_(modulation.weight, std=0.3)
        self.leave = nn.Conv2d(width, 1, 1)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        shape, place, size = words[:, 0], words[:, 3], words[:, 4]
        way = 2 * (self.cells[None] - self.points[place][:, :, None, None])
        waves = [f(way * turns * math.pi) for turns in FREQUENCIES for f in (torch.sin, torch.cos)]
        distance = way.square().sum(1, keepdim=True)
        h = torch.cat([way, distance, (distance + 1e-6).sqrt(), *waves], 1)
        told = (shape * (len(SIZES) + 1) + size) * 2 + (place > 0)
        for layer, modulation in zip(self.layers, self.modulations, strict=True):
            scale, shift = modulation(told)[:, :, None, None].chunk(2, 1)
            h = functional.silu(layer(h) * (1 + scale) + shift)
        return self.leave(h)


def train(sketch: Sketch, steps: int, batch: int, seed: int) -> None:
    """Teach it where the objects of the scenes are."""
    optimizer = torch.optim.Adam(sketch.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        _, truth, cover = scenes.draw(batch, generator)
        told = scenes.captions(truth, generator)
        cells = functional.avg_pool2d(cover, scenes.WIDTH // CELLS)
        loss = functional.binary_cross_entropy_with_logits(sketch(told), cells)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % 200 == 0:
            print(f"sketch, step {step + 1}: loss {loss.item():.4f}", flush=True)
