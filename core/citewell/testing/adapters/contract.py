"""What every adapter must do, as tests."""

from __future__ import annotations

from citewell.testing.adapters.access import Access
from citewell.testing.adapters.answering import Answering
from citewell.testing.adapters.asking import Asking
from citewell.testing.adapters.lossless import Lossless
from citewell.testing.adapters.pressing import Pressing
from citewell.testing.adapters.remembering import Remembering
from citewell.testing.adapters.repeats import Repeats
from citewell.testing.adapters.restarting import Restarting
from citewell.testing.adapters.safety import Safety
from citewell.testing.adapters.theatre import Theatre


class AdapterContract(Asking, Answering, Repeats, Lossless, Safety, Access, Pressing, Restarting, Remembering, Theatre):
    pass
