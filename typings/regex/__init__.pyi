# What we use of regex, which comes without types.

from typing import AnyStr, Generic

class Match(Generic[AnyStr]): ...

class Pattern(Generic[AnyStr]):
    def search(self, string: AnyStr, *, timeout: float | None = ...) -> Match[AnyStr] | None: ...
    def fullmatch(self, string: AnyStr, *, timeout: float | None = ...) -> Match[AnyStr] | None: ...

def compile(pattern: AnyStr) -> Pattern[AnyStr]: ...  # noqa: A001 - the library's name
