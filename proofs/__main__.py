"""Run one proof: `python -m proofs NAME [--small] [--seed N]`."""

from __future__ import annotations

import argparse
import sys

from proofs import harness


def main() -> int:
    """Run the proof that the command line names; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m proofs", description="Run one proof.")
    parser.add_argument("name", choices=harness.names())
    parser.add_argument("--small", action="store_true", help="a quick run; nothing is written")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    size: harness.Size = "small" if wanted.small else "full"
    try:
        report = harness.prove(wanted.name, size=size, seed=wanted.seed)
    except harness.MissingData as error:
        print(error, file=sys.stderr)
        return 2
    print(harness.load(wanted.name).table(report.result))
    print(f"\n{wanted.name}, {size} size, seed {wanted.seed}: {report.seconds:.1f} s")
    if size == "full":
        path = harness.publish(wanted.name, report, seed=wanted.seed)
        print(f"written to {path.relative_to(harness.ROOT)}")
    for promise in report.broken:
        print(f"broken: {promise}", file=sys.stderr)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
