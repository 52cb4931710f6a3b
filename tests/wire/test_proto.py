"""The protos are clean, and the committed code is what they say."""

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).parents[2]
PROTOS = sorted((ROOT / "proto").rglob("*.proto"))
BUF = shutil.which("buf") or shutil.which("buf", path=str(Path(sys.executable).parent))
needs_buf = pytest.mark.skipif(BUF is None, reason="buf is not installed")


def generated(proto: Path):
    return import_module(f"memstore.v1.{proto.stem}_pb2")


def without_json_names(file: FileDescriptorProto) -> FileDescriptorProto:
    def clear(messages):
        for message in messages:
            for field in message.field:
                field.ClearField("json_name")
            clear(message.nested_type)

    file.ClearField("source_code_info")
    clear(file.message_type)
    return file


@needs_buf
def test_buf_lint_finds_nothing():
    done = subprocess.run([BUF, "lint", "proto"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_buf
def test_buf_format_changes_nothing():
    done = subprocess.run([BUF, "format", "-d", "proto"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == ""


@needs_buf
def test_the_committed_code_is_what_the_protos_say():
    built = subprocess.run(
        [BUF, "build", "proto", "--as-file-descriptor-set", "-o", "-"], cwd=ROOT, capture_output=True, check=True
    )
    files = {file.name: file for file in FileDescriptorSet.FromString(built.stdout).file}
    for proto in PROTOS:
        committed = FileDescriptorProto.FromString(generated(proto).DESCRIPTOR.serialized_pb)
        wanted = files[str(proto.relative_to(ROOT / "proto"))]
        assert without_json_names(committed) == without_json_names(wanted), f"{proto.name}: run `make proto`"


def test_every_proto_has_its_code_and_every_code_its_proto():
    stems = {proto.stem for proto in PROTOS}
    code = {path.stem.removesuffix("_pb2") for path in (ROOT / "memstore/v1").glob("*_pb2.py")}
    assert code == stems


def test_the_code_was_made_by_the_tools_that_load_on_protobuf_6_and_7():
    for path in (ROOT / "memstore/v1").glob("*_pb2.py"):
        assert "Protobuf Python Version: 6.31.1" in path.read_text()
    for path in (ROOT / "memstore/v1").glob("*_pb2_grpc.py"):
        assert "GRPC_GENERATED_VERSION = '1.74.0'" in path.read_text()


def test_methods_that_only_read_say_so_and_no_other_does():
    reads = re.compile(r"(Get|List|Watch|Inspect|Pick|Diff|Blame)[A-Z]|Retrieve$|Frames$")
    for proto in PROTOS:
        for service in generated(proto).DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                wanted = 1 if reads.match(method.name) else 0
                assert method.GetOptions().idempotency_level == wanted, method.full_name
