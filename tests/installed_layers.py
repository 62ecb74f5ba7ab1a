"""Layers made from the packages that are installed for the tests."""

import io
import zipfile
from importlib.metadata import distribution


def layer_of(cloud, name, *packages):
    """Publish a layer with installed distributions, as they are; return its ARN."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for package in packages:
            for file in distribution(package).files:
                if ".." not in file.parts and "__pycache__" not in file.parts:
                    archive.write(file.locate(), f"python/{file}")
    made = cloud.client("lambda").publish_layer_version(
        LayerName=name, Content={"ZipFile": buffer.getvalue()}
    )
    return made["LayerVersionArn"]
