"""An ONNX network brought to 8 bits, which gives a text the same answer alone and in company.

ONNX Runtime scales activations a matrix at a time, so that what else stands in a batch moves a text's
probabilities by some hundredths. Here each row, which is one token, has its own range, as in ZeroQuant's
token-wise quantization (Yao et al. 2022, section 4.1). Rows take 7 of their 8 bits: products of 8 by 8 bits,
added in pairs, leave the 16 bits that processors without VNNI keep them in, and are cut.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

_LEVELS = 127.0  # 2 products of 127 by 127 stay below 2 ** 15
_NARROWEST = 1e-12  # range of a row of equal numbers
_QUANTIZED = ["MatMul", "Gather", "Conv"]  # an LSTM's kernel has one range for all that is in a batch


def to_int8(proto: Any) -> bytes:
    """Return the ONNX file of a network with weights of 8 bits, whose products are of integers.

    Weights have a scale a column, activations a range a token; recurrent layers stay as they are.

    Args:
        proto: An `onnx.ModelProto` in float32.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory(prefix="gallae-") as temporary:
        path = Path(temporary) / "model.onnx"
        quantize_dynamic(
            proto,
            str(path),
            op_types_to_quantize=_QUANTIZED,
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
        quantized = onnx.load(path)
    scale_rows(quantized)
    return bytes(quantized.SerializeToString())


def scale_rows(proto: Any) -> None:
    """Give each row of what integer products read its own range, in place of one a matrix.

    Args:
        proto: An `onnx.ModelProto` as `quantize_dynamic` leaves it; it is changed.
    """
    graph = proto.graph
    rows = _Rows(graph)
    nodes = [made for node in graph.node for made in rows.replaced(node)]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(rows.constants())


class _Rows:
    """Rewrites nodes. With x = low + step * q, x @ w is step * (q @ w) + low * (column sums of w)."""

    def __init__(self, graph: Any) -> None:
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._readers: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
        self._lows: dict[str, str] = {}  # of quantized rows: the name of their least numbers
        self._open: dict[str, tuple[str, str]] = {}  # of a product's output: those, and the column sums
        self._values: dict[str, np.ndarray] = {
            "rows_last_axis": np.array([-1]),
            "rows_levels": np.array(_LEVELS, dtype=np.float32),
            "rows_narrowest": np.array(_NARROWEST, dtype=np.float32),
        }

    def constants(self) -> list[Any]:
        """Return what the new nodes read, as `onnx.TensorProto`s."""
        from onnx import numpy_helper

        return [numpy_helper.from_array(value, name) for name, value in self._values.items()]

    def replaced(self, node: Any) -> list[Any]:
        """Return what stands in a node's place."""
        if node.op_type == "DynamicQuantizeLinear" and self._feeds_products(node):
            self._lows[node.output[0]] = f"{node.input[0]}_low"
            return _quantized(node)
        if node.op_type == "MatMulInteger" and node.input[0] in self._lows:
            return [self._product(node)]
        if node.output[0] in self._open:
            return _completed(node, *self._open[node.output[0]])
        return [node]

    def _feeds_products(self, node: Any) -> bool:
        return all(reader.op_type == "MatMulInteger" for reader in self._readers[node.output[0]])

    def _product(self, node: Any) -> Any:
        """Return an integer product without zero points; its scaled result awaits the rows' least numbers."""
        from onnx import helper, numpy_helper

        name = node.input[1].removesuffix("_quantized")
        weight, scale = (
            numpy_helper.to_array(self._weights[each]) for each in (node.input[1], f"{name}_scale")
        )
        self._values[f"{name}_sums"] = (weight * scale.astype(np.float64)).sum(axis=0).astype(np.float32)
        (cast,) = self._readers[node.output[0]]
        (scaled,) = self._readers[cast.output[0]]
        self._open[scaled.output[0]] = self._lows[node.input[0]], f"{name}_sums"
        return helper.make_node("MatMulInteger", list(node.input[:2]), list(node.output))


def _quantized(node: Any) -> list[Any]:
    """Return what stands in a DynamicQuantizeLinear's place: its integers, and a step a row."""
    from onnx import TensorProto
    from onnx.helper import make_node as make

    name, (integers, step) = node.input[0], node.output[:2]
    return [
        make("ReduceMin", [name, "rows_last_axis"], [f"{name}_low"], keepdims=1),
        make("ReduceMax", [name, "rows_last_axis"], [f"{name}_high"], keepdims=1),
        make("Sub", [f"{name}_high", f"{name}_low"], [f"{name}_span"]),
        make("Max", [f"{name}_span", "rows_narrowest"], [f"{name}_range"]),
        make("Div", [f"{name}_range", "rows_levels"], [step]),
        make("Sub", [name, f"{name}_low"], [f"{name}_above"]),
        make("Div", [f"{name}_above", step], [f"{name}_steps"]),
        make("Round", [f"{name}_steps"], [f"{name}_rounded"]),
        make("Cast", [f"{name}_rounded"], [integers], to=TensorProto.UINT8),
    ]


def _completed(scaled: Any, low: str, sums: str) -> list[Any]:
    """Return the node that scales a product, and what adds the share of the rows' least numbers."""
    from onnx.helper import make_node as make

    output = scaled.output[0]
    scaled.output[0] = f"{output}_steps"
    return [
        scaled,
        make("Mul", [low, sums], [f"{output}_lows"]),
        make("Add", [f"{output}_steps", f"{output}_lows"], [output]),
    ]
