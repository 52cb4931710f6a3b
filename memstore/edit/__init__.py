"""Edits: what a selection means, and what operations make of the layers of a world.

resolve    a selection becomes instances of patches      memstore/edit/resolve.py
perform    operations change a draft                     memstore/edit/perform.py, join.py
session    one edit, from its first word to its commit   memstore/edit/session.py
look       pictures of what is selected or changed       memstore/edit/look.py
"""
