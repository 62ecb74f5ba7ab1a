"""The Serverless Lab Kit: the `lab` command and what the notebooks need."""


def load_ipython_extension(shell) -> None:
    """`%load_ext labkit`: make sure that a cloud is there, and say which one this notebook uses.

    It adds the kit's magics, and gives matplotlib the kit's style for when the notebook imports it.
    """
    import os

    from . import magics, plots, target
    from .plots.language import LanguageMagics
    from .plots.magics import PictureMagics

    os.environ.setdefault("MATPLOTLIBRC", str(plots.STYLE))
    shell.register_magics(PictureMagics, LanguageMagics)
    magics.register(shell)
    print(target.enter_notebook())
