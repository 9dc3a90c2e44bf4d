"""The peer of our graphs: torch.onnx.export of an official network on formula weights, and its dynamic quantization.

    python export_official.py --ref FOLDER --out FOLDER [--int8] NAME ...

FOLDER of --ref holds clones as test/data/onnx/official_networks.py says. Writes NAME.onnx, and with
--int8 NAME.int8.onnx (quantize_dynamic of MatMul and Gemm, per channel).
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "test/data/onnx"))
import torch  # noqa: E402
from formula_weights import fill  # noqa: E402
from official_networks import build, side_of  # noqa: E402
from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ref", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--int8", action="store_true", help="also NAME.int8.onnx")
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    torch.set_num_threads(1)
    # The fused encoder layer, which evaluation would take, has no ONNX form.
    torch.backends.mha.set_fastpath_enabled(False)
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        model = build(args.ref, name)
        fill(model)
        model.eval()
        side = side_of(name)
        x = torch.zeros(1, 3, side, side)
        if name == "cricavpr":
            # Its interpolation can't be traced: the positions of this input size, computed once, as the tracer makes of the others.
            positions = model.backbone.interpolate_pos_encoding(torch.zeros(1, (side // 14) ** 2 + 1, 768), side, side).detach()
            model.backbone.interpolate_pos_encoding = lambda tokens, width, height: positions
        file = args.out / f"{name}.onnx"
        with torch.no_grad():
            torch.onnx.export(model, (x,), str(file), dynamo=False, opset_version=17, input_names=["image"])
        if args.int8:
            quantize_dynamic(
                file, args.out / f"{name}.int8.onnx", per_channel=True, op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8
            )
        print(file, flush=True)


if __name__ == "__main__":
    main()
