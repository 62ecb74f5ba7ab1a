"""`lab demo`: a photograph in, a thumbnail out, and whether it is right."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from . import pictures, preflight, project, target, terminal, thumbnails
from .cloud_errors import explain
from .demo_stack import LONGEST_SIDE, Delivery, DemoError, DemoStack

FOLDER = project.WORK / "demo"
_COLD, _WARM = "coffee.jpg", "rocket.jpg"


@dataclass
class Result:
    """What the demo saw; `faults` are sentences, and none of them means success."""

    cloud: str = ""
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    verdicts: dict[str, thumbnails.Verdict] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The result for programs; times in milliseconds, sizes in pixels and bytes."""
        images = {}
        for start, delivery in self.deliveries.items():
            photo = pictures.size_of(delivery.photo)
            images[start] = {
                "source": delivery.source,
                "thumbnail": delivery.target,
                "source_pixels": photo,
                "source_bytes": len(delivery.photo),
                "thumbnail_pixels": self.verdicts[start].size,
                "thumbnail_bytes": len(delivery.thumbnail),
                "mean_difference": self.verdicts[start].mean_difference,
                "put_to_thumbnail_ms": delivery.milliseconds,
            }
        return {
            "ok": not self.faults,
            "cloud": self.cloud,
            **images,
            "log": self.log,
            "faults": self.faults,
        }


def run(*, as_json: bool, keep: bool, yes: bool) -> int:
    """Run the demo; return 0 only if both thumbnails are there and right."""
    console = terminal.console(stderr=as_json)
    result = Result()
    try:
        with target.cloud() as result.cloud:
            console.print(f"Using {result.cloud}")
            preflight.ask(["demo"], yes=yes, console=console)
            _run(result, keep, console)
    except (DemoError, preflight.NotMeant) as error:
        result.faults.append(str(error))
    except (BotoCoreError, ClientError) as error:
        result.faults.append(f"The cloud refused: {explain(error)}")
    if as_json:
        json.dump(result.as_json(), sys.stdout, indent=2)
        print()
    elif result.deliveries:
        _show(result, console)
    for fault in result.faults:
        console.print(f"✗ {fault}", style="red", markup=False)
    return 1 if result.faults else 0


def _run(result: Result, keep: bool, console: Console) -> None:
    stack = DemoStack()
    try:
        _step(console, "pack the function and the Pillow layer, upload both", stack.upload_packages)
        _step(console, f"create the stack {stack.name}", stack.deploy)
        for ended, (start, name) in enumerate((("cold", _COLD), ("warm", _WARM)), start=1):
            photo = (project.PHOTOS / name).read_bytes()
            delivery = _step(
                console, f"upload {name}, wait for its thumbnail", stack.deliver, photo, name
            )
            verdict = thumbnails.judge(photo, delivery.thumbnail, LONGEST_SIDE)
            result.faults += [f"{delivery.target}: {fault}" for fault in verdict.faults]
            result.deliveries[start], result.verdicts[start] = delivery, verdict
            # The thumbnail is there before the invocation ends: until then its environment is busy, and
            # the next upload would start another one cold.
            result.log = _step(console, "read the function's log", stack.log_lines, ended)
        _judge_log(result)
    finally:
        if keep:
            console.print(f"Kept: the stack {stack.name} and the bucket {stack.artifacts}")
        else:
            _remove(result, stack, console)


def _remove(result: Result, stack: DemoStack, console: Console) -> None:
    """Remove it all. What would not go is one fault more, and hides no other."""
    try:
        _step(console, "empty the buckets, delete the stack", stack.remove)
    except (BotoCoreError, ClientError) as error:
        result.faults.append(f"Not all was removed; lab destroy removes it: {explain(error)}")


def _step(console: Console, words: str, action: Callable[..., Any], *arguments: Any) -> Any:
    with console.status(f"{words} …"):
        outcome = action(*arguments)
    console.print(f"[green]✓[/] {words}")
    return outcome


def _judge_log(result: Result) -> None:
    for word in ("INIT_START ", "START ", "END ", "REPORT "):
        if not any(line.startswith(word) for line in result.log):
            result.faults.append(f"The function's log has no {word.strip()} line.")
    if not any("Init Duration:" in line for line in result.log):
        result.faults.append("No REPORT line has an Init Duration.")


def _show(result: Result, console: Console) -> None:
    rows = []
    for start, delivery in result.deliveries.items():
        photo = _sizes(pictures.size_of(delivery.photo), delivery.photo)
        thumbnail = _sizes(result.verdicts[start].size, delivery.thumbnail)
        rows += [(delivery.source, *photo), (delivery.target, *thumbnail)]
    width = max(len(path) for path, *_ in rows)
    console.print()
    for path, pixels, size in rows:
        console.print(f"{path:{width}}  {pixels:>10}  {size:>13}")
    console.print("\nThe function's log, as CloudWatch holds it:", style="bold")
    for line in result.log:
        console.print(line, markup=False)
    times = ", ".join(f"{d.milliseconds:.0f} ms {s}" for s, d in result.deliveries.items())
    console.print(f"\nFrom PUT to thumbnail: [bold]{times}[/]")
    if not result.faults:
        _save(result, times)
        console.print(f"The pictures are in {FOLDER}")


def _sizes(pixels: tuple[int, int] | None, data: bytes) -> tuple[str, str]:
    return (f"{pixels[0]} x {pixels[1]}" if pixels else "no picture", f"{len(data):,} bytes")


def _save(result: Result, times: str) -> None:
    cold = result.deliveries["cold"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "thumbnail.jpg").write_bytes(cold.thumbnail)
    captions = []
    for path, data in ((cold.source, cold.photo), (cold.target, cold.thumbnail)):
        key = path.split("/", 3)[3]
        captions.append("\n".join((key, *_sizes(pictures.size_of(data), data))))
    pictures.side_by_side(
        cold.photo, cold.thumbnail, tuple(captions),
        [*result.log, "", f"From PUT to thumbnail: {times}"], FOLDER / "side-by-side.png",
    )  # fmt: skip
