"""Delivery: from a checked answer to what people see, the same for every platform."""
