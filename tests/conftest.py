"""Every annotation of memstore, shapes of arrays included, is checked while tests run; in production nothing is."""

from jaxtyping import install_import_hook

# The tower lets an int stand for a float, as type checkers do.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
install_import_hook(["memstore", "memstore_client"], CHECKER)
