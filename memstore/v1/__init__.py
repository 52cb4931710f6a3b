"""Generated from proto/memstore/v1 by `make proto`; do not edit."""
