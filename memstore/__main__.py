"""`python -m memstore`: the command line."""

from memstore.cli import main

main()
