"""Makes GGUF files of what was trained, and proves them equal to it."""
