"""Fits a model to examples with TRL and PEFT, in a process of its own."""
