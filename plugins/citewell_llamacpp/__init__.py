"""A language model from a GGUF file, run by llama.cpp in a process of its own."""
