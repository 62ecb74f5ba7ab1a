"""The Serverless Lab Kit: the `lab` command and what the notebooks need."""


def load_ipython_extension(shell) -> None:
    """`%load_ext labkit`: make sure that a cloud is there, and say which one this notebook uses."""
    from . import target

    print(target.enter_notebook())
