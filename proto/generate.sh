#!/usr/bin/env bash
# Writes memstore/v1 from proto/. grpcio-tools 1.74.0 generates code that loads on protobuf 6.31 to 7.x but itself needs
# protobuf 6, so it lives in a throw-away environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="$(mktemp -d)"
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet grpcio-tools==1.74.0
"$tools/bin/python" -m grpc_tools.protoc -I proto --python_out=. --pyi_out=. --grpc_python_out=. proto/memstore/v1/*.proto
printf '"""Generated from proto/memstore/v1 by `make proto`; do not edit."""\n' > memstore/v1/__init__.py
