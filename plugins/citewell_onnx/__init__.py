"""Embedding models and rerankers from ONNX files, each in a process of its own."""
