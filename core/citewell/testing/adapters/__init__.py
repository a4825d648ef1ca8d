"""The contract of adapters: scenarios that are played in a stand-in for the chat service."""
