"""A Llama-like model from a GGUF file as a graph for ONNX Runtime, its weights quantized as they are.

Operators: ONNX Runtime's "Contrib Operators" page. MatMulNBits knows scales and whole zero points, Q4_1 a
scale s and a minimum m for each block of 32: s * q + m = s * (q - 8) + (m + 8 * s). The second summand is the
same for all of a block, so that it is multiplied with the sum of the block's inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .gguf_file import BLOCK, GgufFile

_CONTRIB = "com.microsoft"
_INT8_COMPUTE = 4  # accuracy_level: inputs are rounded to 8 bits by the block, as llama.cpp does


@dataclass(frozen=True)
class Shape:
    """The sizes of a model."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_size: int
    context: int
    epsilon: float
    rope_base: float

    @classmethod
    def read(cls, file: GgufFile) -> Shape:
        """From a GGUF file of the architecture llama."""
        get = {
            key.removeprefix("llama."): value for key, value in file.settings.items()
        }.__getitem__
        heads = get("attention.head_count")
        return cls(
            get("block_count"), get("embedding_length"), heads, get("attention.head_count_kv"),
            get("embedding_length") // heads, get("context_length"),
            get("attention.layer_norm_rms_epsilon"), get("rope.freq_base"),
        )  # fmt: skip


class _Graph:
    def __init__(self, file: GgufFile):
        self.file = file
        self.nodes: list = []
        self.initializers: list = []
        self.weights: dict[str, np.ndarray] = {}

    def add(self, kind: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes):
        self.nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def constant(self, name: str, value: np.ndarray) -> str:
        """A constant that is handed to the session beside the graph, which else would be copied thrice."""
        self.weights[name] = value = np.ascontiguousarray(value)
        tensor = TensorProto(name=name, dims=value.shape, data_location=TensorProto.EXTERNAL)
        tensor.data_type = helper.np_dtype_to_tensor_dtype(value.dtype)
        tensor.external_data.add(key="location", value="beside the graph")
        self.initializers.append(tensor)
        return name

    def small(self, name: str, value: np.ndarray) -> str:
        """A constant that is part of the graph, as shapes and axes have to be."""
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def four_bit_product(self, x: str, sums: str, names: list[str], out: str) -> str:
        """x times the matrices of these names, one beside the other."""
        blocks = np.concatenate([self.file.four_bits(name) for name in names])
        rows, count = blocks.shape
        halves = blocks["weights"] & 15, blocks["weights"] >> 4
        in_order = np.concatenate(halves, axis=-1)
        scale = blocks["scale"].astype(np.float32)
        offset = blocks["minimum"].astype(np.float32) + 8 * scale
        packed = self.constant(f"{out}.q", in_order[..., ::2] | in_order[..., 1::2] << 4)
        scales = self.constant(f"{out}.s", scale)
        self.add(
            "MatMulNBits", [x, packed, scales], [f"{out}.a"], _CONTRIB, K=count * BLOCK, N=rows, bits=4,
            block_size=BLOCK, accuracy_level=_INT8_COMPUTE,
        )  # fmt: skip
        self.add("MatMul", [sums, self.constant(f"{out}.o", offset.T)], [f"{out}.b"])
        return self.add("Add", [f"{out}.a", f"{out}.b"], [out])

    def block_sums(self, x: str, width: int) -> str:
        """The sums of 32 inputs each: tokens x blocks."""
        shape = self.small(f"{x}.shape", np.array([1, -1, width // BLOCK, BLOCK]))
        parts = self.add("Reshape", [x, shape], [f"{x}.blocks"])
        return self.add("ReduceSum", [parts, "axis"], [f"{x}.sums"], keepdims=0)


def build(file: GgufFile) -> tuple[bytes, dict[str, np.ndarray]]:
    """The graph, serialised, and its weights by name.

    Inputs: `embeddings` (1, tokens, width), `seqlens_k`, `total`, and for each layer `past_key.N` and
    `past_value.N` (1, kv heads, capacity, head size), whose memory the outputs `present_key.N` and
    `present_value.N` share. Output: `logits` (1, 1, vocabulary), of the last token.
    """
    shape, g = Shape.read(file), _Graph(file)
    angles = np.arange(shape.context)[:, None] * shape.rope_base ** (
        -np.arange(0, shape.head_size, 2) / shape.head_size
    )
    g.small("axis", np.array([3]))
    last = g.small("last", np.array([-1]))
    g.constant("cos", np.cos(angles).astype(np.float32))
    g.constant("sin", np.sin(angles).astype(np.float32))
    x, skip = "embeddings", ""
    for n in range(shape.layers):
        x, skip = _norm(g, f"blk.{n}.attn_norm.weight", x, skip, f"{n}.normed", shape)
        x = _attention(g, n, x, shape)
        x, skip = _norm(g, f"blk.{n}.ffn_norm.weight", x, skip, f"{n}.between", shape)
        x = _feed_forward(g, n, x, shape)
    for each in (x, skip):
        g.add("Gather", [each, last], [f"{each}.last"], axis=1)
    x, _ = _norm(g, "output_norm.weight", f"{x}.last", f"{skip}.last", "normed", shape)
    _logits(g, x, shape)
    return _serialised(g, shape), g.weights


def _norm(g: _Graph, weight: str, x: str, skip: str, out: str, shape: Shape) -> tuple[str, str]:
    """RMS norm of x + skip; returns it and the sum."""
    gamma = g.constant(weight, g.file.floats(weight))
    if not skip:
        g.add("SimplifiedLayerNormalization", [x, gamma], [out], axis=-1, epsilon=shape.epsilon)
        return out, x
    g.add(
        "SkipSimplifiedLayerNormalization", [x, skip, gamma], [out, "", "", f"{out}.sum"], _CONTRIB,
        epsilon=shape.epsilon,
    )  # fmt: skip
    return out, f"{out}.sum"


def _attention(g: _Graph, n: int, x: str, shape: Shape) -> str:
    names = [f"blk.{n}.attn_{part}.weight" for part in "qkv"]
    qkv = g.four_bit_product(x, g.block_sums(x, shape.width), names, f"{n}.qkv")
    g.add(
        "GroupQueryAttention",
        [qkv, "", "", f"past_key.{n}", f"past_value.{n}", "seqlens_k", "total", "cos", "sin"],
        [f"{n}.attended", f"present_key.{n}", f"present_value.{n}"],
        _CONTRIB, num_heads=shape.heads, kv_num_heads=shape.kv_heads, do_rotary=1, rotary_interleaved=1,
    )  # fmt: skip
    attended = f"{n}.attended"
    return g.four_bit_product(
        attended, g.block_sums(attended, shape.width), [f"blk.{n}.attn_output.weight"], f"{n}.mixed"
    )


def _feed_forward(g: _Graph, n: int, x: str, shape: Shape) -> str:
    names = [f"blk.{n}.ffn_{part}.weight" for part in ("gate", "up")]
    both = g.four_bit_product(x, g.block_sums(x, shape.width), names, f"{n}.both")
    gate, up = f"{n}.gate", f"{n}.up"
    g.nodes.append(helper.make_node("Split", [both], [gate, up], axis=-1, num_outputs=2))
    # With alpha 1 it is x * sigmoid(x).
    g.add("QuickGelu", [gate], [f"{n}.swish"], _CONTRIB, alpha=1.0)
    inner = g.add("Mul", [f"{n}.swish", up], [f"{n}.inner"])
    down = f"blk.{n}.ffn_down.weight"
    inner_width = g.file.four_bits(down).shape[1] * BLOCK
    return g.four_bit_product(inner, g.block_sums(inner, inner_width), [down], f"{n}.fed")


def _logits(g: _Graph, x: str, shape: Shape) -> None:
    blocks = g.file.eight_bits("token_embd.weight")  # input and output share it
    packed = g.constant("head.q", (blocks["weights"].view(np.uint8) ^ 128))
    scales = g.constant("head.s", blocks["scale"].astype(np.float32))
    g.add(
        "MatMulNBits", [x, packed, scales], ["logits"], _CONTRIB, K=shape.width, N=len(blocks), bits=8,
        block_size=BLOCK, accuracy_level=_INT8_COMPUTE,
    )  # fmt: skip


def _serialised(g: _Graph, shape: Shape) -> bytes:
    floats, whole = TensorProto.FLOAT, TensorProto.INT32
    value = helper.make_tensor_value_info
    cache = [1, shape.kv_heads, "capacity", shape.head_size]
    names = [f"{part}.{n}" for n in range(shape.layers) for part in ("key", "value")]
    graph = helper.make_graph(
        g.nodes,
        "language model",
        [
            value("embeddings", floats, [1, "tokens", shape.width]),
            value("seqlens_k", whole, [1]),
            value("total", whole, [1]),
            *(value(f"past_{name}", floats, cache) for name in names),
        ],
        [
            value("logits", floats, [1, 1, "vocabulary"]),
            *(value(f"present_{name}", floats, cache) for name in names),
        ],
        g.initializers,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_CONTRIB, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
