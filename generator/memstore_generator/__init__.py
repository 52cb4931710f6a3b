"""The video generator that memory feeds. Its model is not part of this release; the engine does without it."""
