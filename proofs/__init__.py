"""Long proofs of what the documentation promises.

Each module here has `run(*, size, seed)`, which returns counts and figures as plain data,
`table(result)`, which shows them as Markdown, and `check(result)`, which lists broken promises.
"""
