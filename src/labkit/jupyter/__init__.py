"""JupyterLab as `lab start` runs it; labconfig/ holds the kit's defaults for its settings."""
