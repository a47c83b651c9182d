"""ONNX Runtime from Python as a peer: `onnxruntime_peer.py infer`."""

import os

import onnxruntime

import peer


def infer(case):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = peer.THREADS
    path = os.path.join(case["directory"], "model.onnx")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return peer.prediction(case, lambda images: session.run(None, {"images": images})[0])


peer.serve(onnxruntime.__version__, infer)
