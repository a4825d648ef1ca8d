from citewell.testing.adapters.contract import AdapterContract


class TestPlainChat(AdapterContract):
    name = "plainchat"
