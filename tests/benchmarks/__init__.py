"""The code behind `memstore bench`: figures, never verdicts, and peers measured in the same run."""
