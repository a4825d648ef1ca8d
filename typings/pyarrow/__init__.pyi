from typing import Any

class ArrowException(Exception): ...

class RecordBatch:
    def to_pylist(self) -> list[dict[str, Any]]: ...

class Schema:
    names: list[str]
