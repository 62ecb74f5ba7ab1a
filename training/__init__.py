"""The local image model is trained here. docs/image-model.md says on what, how, and how well it draws.

Nothing here is needed to use the kit: `make train` sets up PyTorch in a folder of its own.
"""
