"""Bundle -> answers, over HTTP.

`bento` is the process, `app` the routes, `limits` and `problems` stand around them. `parse` turns a
request into a slice with outlines, `classify` and `synthesize` into answers, through `engine`
(ONNX Runtime) and `batcher` (who runs when). No torch, and nothing of `training`.
"""
