import re

from memstore import errors
from memstore.cli.exit_code import EXIT_CODES, exit_code, exit_code_table

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.MemstoreError)]


def test_every_kind_of_error_has_an_exit_code():
    for kind in KINDS:
        if kind is not errors.MemstoreError:
            assert exit_code(kind("x")) in EXIT_CODES.values(), kind


def test_no_two_kinds_share_a_code():
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
    assert not {0, 1} & set(EXIT_CODES.values())


def test_a_narrower_kind_has_the_code_of_the_one_it_belongs_to():
    assert exit_code(errors.ReadOnly("x")) == exit_code(errors.FailedPrecondition("x")) == 6


def test_the_table_in_the_help_names_every_code(memstore):
    shown = " ".join(memstore("--help").out.split())
    for kind, code in EXIT_CODES.items():
        assert f"{code} {kind.__name__}" in exit_code_table()
        assert re.search(rf"\b{code}\b", shown)
