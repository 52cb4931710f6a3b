"""Walks through Doom maps as posed RGB-D video, from ViZDoom and Freedoom (`pip install 'memstore[doom]'`).

wad       a map's lines and sectors          raycast   exact depth of what a camera sees of them
plan      a way that leaves and comes back   game      the running engine (the only file that imports ViZDoom)
shot      what the engine shows              develop   shot -> Frame
walk      all of it: a stream of frames
"""

from __future__ import annotations

from memstore.doom.walk import Monsters, render_walk

__all__ = ["Monsters", "render_walk"]
