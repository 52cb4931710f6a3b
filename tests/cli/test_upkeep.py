import json

import pytest


@pytest.fixture
def museum(memstore, folder, clip) -> str:
    assert memstore("ingest", clip, "museum", "--create", "--db", folder).code == 0
    return str(folder)


def test_a_sound_database_verifies_and_exits_with_0(memstore, museum):
    answer = memstore("verify", "--db", museum)
    assert answer.code == 0
    assert "All is well" in answer.out
    assert memstore("verify", "--db", museum, "--json").json["clean"] is True


def test_a_flipped_bit_is_named_and_exits_with_7(memstore, museum, folder):
    payload = max((path for path in (folder / "segments").rglob("*") if path.is_file()), key=lambda p: p.stat().st_size)
    spoilt = bytearray(payload.read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    payload.write_bytes(spoilt)
    answer = memstore("verify", "--db", museum, "--json")
    assert answer.code == 7
    assert answer.json["clean"] is False
    assert answer.json["problems"][0]["worlds"] == ["museum"]
    assert "museum" in memstore("verify", "--db", museum).out


def test_verify_repairs_what_a_crash_left(memstore, museum):
    answer = memstore("verify", "--repair", "--db", museum, "--json")
    assert answer.code == 0
    assert answer.json["collected"]["segments"] == 0


def test_migrate_says_that_a_new_database_is_new(memstore, museum):
    assert memstore("migrate", "--db", museum, "--json").json["passed"] == []
    assert "already" in memstore("migrate", "--db", museum).out


def test_a_newer_format_exits_with_6_and_says_what_to_do(memstore, museum, folder):
    identity = json.loads((folder / "memstore.json").read_text())
    (folder / "memstore.json").write_text(json.dumps({**identity, "format": 99}))
    answer = memstore("world", "list", "--db", museum)
    assert answer.code == 6
    assert "upgrade memstore" in " ".join(answer.err.split())


def test_collect_frees_what_nothing_needs(memstore, museum):
    freed = memstore("collect", "--grace-s", 0, "--db", museum, "--json").json
    assert (freed["segments"], freed["worlds"]) == (0, 0)
    assert memstore("verify", "--db", museum).code == 0


def test_a_world_goes_into_a_file_and_comes_back_under_another_name(memstore, museum, tmp_path):
    file = tmp_path / "museum.memstore"
    assert memstore("world", "export", "museum", file, "--db", museum, "--json").json["bytes"] == file.stat().st_size
    assert memstore("world", "export", "museum", file, "--db", museum).code == 4
    copy = memstore("world", "import", file, "--name", "copy", "--db", museum, "--json").json
    assert (copy["name"], copy["frame_count"]) == ("copy", 16)
