"""The demo: what memstore does, on real input, in stages that each leave pictures and figures behind.

memory    two sessions remember two places; a third looks around in them from where nobody stood
"""

from __future__ import annotations

from memstore.demo.stages import STAGES, run_demo

__all__ = ["STAGES", "run_demo"]
