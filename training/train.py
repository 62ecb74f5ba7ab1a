"""Train the local image model: python -m training.train --help

Flow matching: a picture and noise are mixed, (1 - level) * picture + level * noise, and the network learns to
say what the picture was. First of all its sketch is trained (sketch.py), which then stays. Which scenes,
captions, noise and levels a step sees depends on the seed and the step alone, so a run that was stopped goes
on as if it hadn't been.
"""

import argparse
import copy
import os
import time
from pathlib import Path

import torch

from training import scenes, sketch
from training.network import Denoiser

SKETCH_STEPS = 1000
SHIFT = 3.0  # towards noise: a flat colour shines through a lot of it


def levels(count: int, generator: torch.Generator) -> torch.Tensor:
    """Noise levels in 0..1, most of them where a picture takes shape."""
    u = torch.rand(count, generator=generator)
    return SHIFT * u / (1 + (SHIFT - 1) * u)


def train(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    network = Denoiser().to(memory_format=torch.channels_last)
    if not arguments.checkpoint.exists():
        sketch.train(network.sketch.requires_grad_(True), SKETCH_STEPS, 64, arguments.seed)
        network.sketch.requires_grad_(False)
    average = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=arguments.rate, betas=(0.9, 0.99), weight_decay=0.01
    )
    print(f"{sum(p.numel() for p in network.parameters()):,} parameters", flush=True)
    step, smooth, seconds = 0, None, 0.0
    if arguments.checkpoint.exists():
        kept = torch.load(arguments.checkpoint, weights_only=True)
        network.load_state_dict(kept["network"])
        average.load_state_dict(kept["average"])
        optimizer.load_state_dict(kept["optimizer"])
        step, seconds = kept["step"], kept["seconds"]
    generator = torch.Generator()
    while step < arguments.steps:
        began = time.process_time()
        generator.manual_seed(arguments.seed * 1_000_003 + step)
        pictures, truth, _ = scenes.draw(arguments.batch, generator)
        told = scenes.captions(truth, generator)
        level = levels(arguments.batch, generator)
        noise = torch.randn(pictures.shape, generator=generator)
        at = level[:, None, None, None]
        noisy = (at * noise + (1 - at) * pictures).to(memory_format=torch.channels_last)
        error = (network(noisy, level, told) - pictures).square().mean((1, 2, 3))
        # The error of the flow, (picture - noise), is this one over the level squared.
        loss = (error / level.clamp(min=0.15).square()).mean()
        rate = arguments.rate * _share_of_the_rate(step, arguments.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        # Young averages forget faster: the first pictures say little of the last.
        keep = min(arguments.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, new in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(new, 1 - keep)
        seconds += time.process_time() - began
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0:
            print(f"step {step}: loss {smooth:.4f}, {seconds:.0f} s of processor time", flush=True)
        if step % arguments.keep_every == 0 or step == arguments.steps:
            _keep(
                arguments.checkpoint,
                step=step,
                seconds=seconds,
                seed=arguments.seed,
                network=network.state_dict(),
                average=average.state_dict(),
                optimizer=optimizer.state_dict(),
            )


def _share_of_the_rate(step: int, steps: int) -> float:
    """Up in 200 steps, level, and down in the last quarter: `--steps` may be raised until that begins."""
    return min(1.0, (step + 1) / 200, 0.01 + 4 * (steps - step) / steps)


def _keep(path: Path, **state: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=Path("build/image-model.pt"))
    parser.add_argument("--steps", type=int, default=26000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--average", type=float, default=0.998)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep-every", type=int, default=200)
    train(parser.parse_args())
