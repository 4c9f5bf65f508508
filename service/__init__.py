"""The service: a bundle becomes answers over HTTP. ONNX Runtime runs it; torch is never imported."""
