"""Questions made from documents, by a model, and from what people asked before."""
