"""A language model behind an API: whatever LiteLLM knows to talk to."""
