"""Write a trained model as the file that the kit draws with: python -m training.export --help"""

import argparse
from pathlib import Path

import numpy
import onnx
import torch
from onnx import helper, numpy_helper

from training import scenes
from training.network import Denoiser

MODEL = Path(__file__).parents[1] / "src/localcloud/foundation_models/image_model.onnx"


def export(checkpoint: Path, target: Path) -> None:
    network = Denoiser()
    kept = torch.load(checkpoint, weights_only=True)
    network.load_state_dict(kept["average"])
    network.eval()
    example = {
        "noisy": torch.zeros(2, 3, scenes.WIDTH, scenes.WIDTH),
        "level": torch.ones(2),
        "words": torch.zeros(2, 5, dtype=torch.long),
    }
    rows = torch.export.Dim("rows", min=1)
    program = torch.onnx.export(
        network,
        kwargs=example,
        input_names=list(example),
        output_names=["clean"],
        dynamic_shapes={name: {0: rows} for name in example},
        dynamo=True,
        optimize=True,
    )
    model = program.model_proto
    _halve(model.graph)
    model.producer_name, model.doc_string = (
        "training/export.py",
        f"step {kept['step']}, seed {kept['seed']}",
    )
    model.graph.ClearField("value_info")
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString())
    print(f"{target}: {target.stat().st_size:,} bytes, after {kept['step']} steps")


def _halve(graph: onnx.GraphProto) -> None:
    """Keep the weights in 16 bits: half the file, and nothing to be seen in the pictures."""
    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == numpy.float32 and values.size > 1000:
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values.astype(numpy.float16), f"{name}.half"))
            casts.append(helper.make_node("Cast", [weight.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=Path("build/image-model.pt"))
    parser.add_argument("--target", type=Path, default=MODEL)
    arguments = parser.parse_args()
    export(arguments.checkpoint, arguments.target)
