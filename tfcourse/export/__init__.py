"""A run's model for other programs: as a graph of plain steps, for ONNX, NumPy, LiteRT and TensorFlow Serving."""
