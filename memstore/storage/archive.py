"""Archive: a world with its whole history in one file, and back, lossless.

A tar of `manifest.json`, `objects/<name>` (every commit, layer, list and mask), and for each segment its
`geometry.safetensors` and `content.safetensors` (latents, depth, masks and notes); of a gathered segment the former
alone.
Segment ordinals are database-wide, so an import gives each segment a new one and rewrites what names it: commits keep
their order, times, authors and messages, and get new ids; patches get new ids.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from memstore.errors import AlreadyExists, CorruptData, FailedPrecondition, MemstoreError, NotFound, Reason
from memstore.latent import LatentSpec, to_tokens
from memstore.layer import Layer, LayerSegment
from memstore.segment import Homes
from memstore.storage.columns import ColumnFile, encode_columns
from memstore.storage.commits import Commit, check_name
from memstore.storage.durable import replace_file
from memstore.storage.geometry import encode_geometry, read_geometry
from memstore.storage.masks import object_of
from memstore.storage.new_segment import GatheredSegment, NewSegment
from memstore.storage.objects import name_of, to_json
from memstore.storage.reach import Survey
from memstore.storage.registry import Registry, WorldRecord
from memstore.storage.store import GATHERED_FORMAT, Store

ARCHIVE_FORMAT = 2
"""The newest that is read; 1 is written where there is no gathered segment, which only 2 knows."""
MANIFEST, GEOMETRY, CONTENT = "manifest.json", "geometry.safetensors", "content.safetensors"
OnProgress = Callable[[int, int, str], None]
"""Called with what is done, how much there is, and the stage."""


def ignore_progress(done: int, total: int, stage: str) -> None:
    """Tells nobody."""


def export_world(
    store: Store, registry: Registry, record: WorldRecord, path: Path, on_progress: OnProgress = ignore_progress
) -> int:
    """Writes a world into one file, whole or not at all, and returns its bytes.

    Raises:
        AlreadyExists: there is a file at `path`.
    """
    if path.exists():
        raise AlreadyExists(f"{path} exists already; choose another file.", file=str(path))
    survey = Survey(store, registry)
    survey.visit(record)
    reached, segments = survey.reached, sorted(survey.reached.segments)
    heads, tags = registry.heads(record.world_id), registry.tags(record.world_id)
    manifest = {
        "format": ARCHIVE_FORMAT if any(store.segments.homes(ordinal) for ordinal in segments) else 1,
        "world": asdict(record),
        "heads": {name: heads.read(name) for name in heads.names()},
        "tags": {name: tags.read(name) for name in tags.names()},
        "segments": segments,
        "objects": len(reached.objects),
    }
    with replace_file(path) as file, tarfile.open(fileobj=file, mode="w") as tar:
        _add(tar, MANIFEST, to_json(manifest))
        for name in sorted(reached.objects):
            _add(tar, f"objects/{name}", store.objects.get(name))
        for i, ordinal in enumerate(segments):
            _export_segment(store, tar, ordinal, record)
            on_progress(i + 1, len(segments), "export")
    return path.stat().st_size


def _export_segment(store: Store, tar: tarfile.TarFile, ordinal: int, record: WorldRecord) -> None:
    one = store.segments.open(ordinal)
    geometry = encode_geometry(one.patches, one.blocks, one.frames, record.latents, {}, one.homes)
    _add(tar, f"segments/{ordinal}/{GEOMETRY}", geometry)
    if one.homes is None:
        _add(tar, f"segments/{ordinal}/{CONTENT}", _encode_content(read_segment(store, ordinal, record)))


def import_world(
    store: Store, registry: Registry, path: Path, name: str | None = None, on_progress: OnProgress = ignore_progress
) -> WorldRecord:
    """Brings a world back from its file, under `name` or its own, and returns it; durable on return.

    Raises:
        NotFound: there is no file at `path`.
        CorruptData: it is no archive, or not what was written.
        AlreadyExists: the name is taken; nothing was written.
    """
    with _opened(path) as tar:
        manifest = _manifest(tar, path)
        record = _imported_record(manifest["world"], name)
        with store.writing():
            registry.require_free(record.name)
            ordinals = _import_segments(store, tar, record, manifest["segments"], on_progress)
            rewrite = _Rewrite(store, lambda object_name: _object(tar, object_name), ordinals, record.world_id)
            for refs, wanted in (
                (registry.heads(record.world_id), manifest["heads"]),
                (registry.tags(record.world_id), manifest["tags"]),
            ):
                for ref, commit in wanted.items():
                    refs.create(ref, rewrite.commit(commit))
            registry.add(record)
    return record


def read_segment(store: Store, ordinal: int, record: WorldRecord) -> NewSegment:
    """Returns a stored segment as it was when it was new."""
    segment, payload = store.segments.open(ordinal), store.segments.payload(ordinal)
    rows = store.segments.frame_rows(ordinal)
    count = len(segment.frames)
    moving = [payload.frame_moving(i) for i in range(count)]
    latents = np.stack([payload.frame_latents(i) for i in range(count)])
    return NewSegment(
        patches=segment.patches,
        blocks=segment.blocks,
        frames=segment.frames,
        captions=tuple(row.caption for row in rows),
        metadata=tuple(row.metadata for row in rows),
        tokens=to_tokens(latents, record.latents.patch),
        depth_m=np.stack([payload.frame_depth(i) for i in range(count)]),
        moving=None if any(one is None for one in moving) else np.stack([one for one in moving if one is not None]),
        spec=record.latents,
        world_id=record.world_id,
    )


class _Rewrite:
    """Stages the objects of an archive anew, each once, with new segment ordinals and a new world id."""

    def __init__(self, store: Store, read: Callable[[str], bytes], ordinals: Mapping[int, int], world_id: str) -> None:
        self._store, self._read, self._ordinals, self._world_id = store, read, ordinals, world_id
        self._done: dict[str, str] = {}

    def commit(self, name: str) -> str:
        """Returns the new id of a commit, after rewriting it and what it came from."""
        waiting = [name]
        while waiting:
            commit = Commit.from_json(self._json(waiting[-1]))
            missing = [parent for parent in commit.parents if parent not in self._done]
            if missing:
                waiting.extend(missing)
                continue
            old = waiting.pop()
            parents = tuple(self._done[parent] for parent in commit.parents)
            layers = self._list(commit.layers, self._layer)
            self._done[old] = self._store.commits.write(
                replace(commit, parents=parents, layers=layers, world_id=self._world_id)
            )
        return self._done[name]

    def _layer(self, name: str) -> str:
        if name not in self._done:
            layer = Layer.from_json(self._json(name))
            rewritten = replace(layer, segments=self._list(layer.segments, self._part))
            self._done[name] = self._store.objects.put_json(rewritten.to_json())
        return self._done[name]

    def _part(self, item: list[Any]) -> list[Any]:
        part = LayerSegment.from_json(item)
        if part.mask:
            self._store.objects.put(self._read(object_of(part.mask)))  # under the same name: masks name no segment
        return replace(part, segment=self._ordinals[part.segment]).to_json()

    def _list(self, name: str, rewrite: Callable[[Any], Any]) -> str:
        if name not in self._done:
            node = self._json(name)
            below = (lambda child: self._list(child, rewrite)) if node["height"] else rewrite
            self._done[name] = self._store.objects.put_json({**node, "items": [below(x) for x in node["items"]]})
        return self._done[name]

    def _json(self, name: str) -> Any:
        return json.loads(self._read(name))


def _import_segments(
    store: Store, tar: tarfile.TarFile, record: WorldRecord, old: list[int], on_progress: OnProgress
) -> dict[int, int]:
    ordinals: dict[int, int] = {}
    with tempfile.TemporaryDirectory(prefix="memstore-import-") as folder:
        for i, ordinal in enumerate(old):
            geometry, content = Path(folder) / GEOMETRY, Path(folder) / CONTENT
            for file in (geometry, content):
                file.unlink(missing_ok=True)  # never written over: the last one may still be mapped
            geometry.write_bytes(_member(tar, f"segments/{ordinal}/{GEOMETRY}"))
            gathered = read_geometry(geometry, 0).segment
            ordinals[ordinal] = store.segments.allocate()
            if gathered.homes is None:
                content.write_bytes(_member(tar, f"segments/{ordinal}/{CONTENT}"))
                store.segments.write(ordinals[ordinal], _decode(geometry, content, record))
            else:
                ColumnFile(geometry).verify()
                store.raise_format(GATHERED_FORMAT)
                homes = _renumbered(gathered.homes, ordinals)
                new = GatheredSegment(
                    gathered.patches, gathered.blocks, gathered.frames, homes, record.latents, record.world_id
                )
                store.segments.write_gathered(ordinals[ordinal], new)
            on_progress(i + 1, len(old), "import")
    return ordinals


def _renumbered(homes: Homes, ordinals: Mapping[int, int]) -> Homes:
    """Returns homes under their new ordinals; older than what refers to them, they were brought in before it."""
    segment, recorded = (
        np.array([ordinals[old] for old in column.tolist()], np.uint32) for column in (homes.segment, homes.recorded)
    )
    return Homes(segment, homes.frame, recorded)


def _imported_record(value: dict[str, Any], name: str | None) -> WorldRecord:
    record = WorldRecord(latents=LatentSpec.from_dict(value.pop("latents")), **value)
    named = check_name(name, "world") if name is not None else record.name
    return replace(record, name=named, world_id=uuid.uuid4().hex, created_s=time.time(), request_id="", deleted_s=None)


def _encode_content(segment: NewSegment) -> bytes:
    columns = {"tokens": segment.tokens, "depth_m": segment.depth_m}
    if segment.moving is not None:
        columns["moving"] = segment.moving
    notes = {
        "captions": json.dumps(segment.captions),
        "metadata": json.dumps([dict(one) for one in segment.metadata]),
    }
    return encode_columns(columns, notes)


def _decode(geometry: Path, content: Path, record: WorldRecord) -> NewSegment:
    segment, columns = read_geometry(geometry, 0).segment, ColumnFile(content)
    for file in (ColumnFile(geometry), columns):
        file.verify()
    return NewSegment(
        patches=segment.patches,
        blocks=segment.blocks,
        frames=segment.frames,
        captions=tuple(json.loads(columns.notes["captions"])),
        metadata=tuple(json.loads(columns.notes["metadata"])),
        tokens=columns["tokens"],
        depth_m=columns["depth_m"],
        moving=columns["moving"] if "moving" in columns.names else None,
        spec=record.latents,
        world_id=record.world_id,
    )


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path, "r:")
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}; check the path.", file=str(path)) from None
    except (tarfile.TarError, OSError) as error:
        raise CorruptData(f"{path} is no archive of a world: {error}.", file=str(path)) from error


def _manifest(tar: tarfile.TarFile, path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(_member(tar, MANIFEST))
    except (MemstoreError, ValueError) as error:
        raise CorruptData(f"{path} is no archive of a world: it has no readable {MANIFEST}.", file=str(path)) from error
    if manifest["format"] > ARCHIVE_FORMAT:
        raise FailedPrecondition(
            f"{path} has archive format {manifest['format']}, this memstore reads up to {ARCHIVE_FORMAT}; upgrade "
            "memstore.",
            reason=Reason.NEWER_FORMAT,
        )
    return manifest


def _object(tar: tarfile.TarFile, name: str) -> bytes:
    content = _member(tar, f"objects/{name}")
    if name_of(content) != name:
        raise CorruptData(f"object {name} in {tar.name} is not what was written.", reason=Reason.CHECKSUM_MISMATCH)
    return content


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        file = tar.extractfile(name)
        content = file.read() if file else b""
        whole = len(content) == tar.getmember(name).size
    except (KeyError, tarfile.TarError, OSError):
        whole, content = False, b""
    if not whole:
        raise CorruptData(f"{tar.name} lacks {name}, or is cut short; copy the archive again.", file=str(tar.name))
    return content


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
