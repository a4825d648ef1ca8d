"""From training data to a model that is proven to be what was trained."""
