"""The learner's build_layer.py at work in the cloud: it chooses wheels, and builds layers in a bucket."""

import io
import zipfile
from dataclasses import dataclass

from labkit.grading import Unmet, expect

from .deployment import Deployment


@dataclass(frozen=True)
class Builder:
    """The learner's function and the bucket it works with."""

    deployment: Deployment
    function: str
    bucket: str

    def choose(self, names, runtime, architecture):
        """What choose_wheel returns. Raises Unmet where it fails."""
        event = {"names": names, "runtime": runtime, "architecture": architecture}
        answer = self.deployment.invoke(self.function, event)
        expect(
            answer.error is None and isinstance(answer.payload, dict),
            tried=f"called choose_wheel for {runtime} on {architecture} with {len(names)} names of wheels",
            expected="the name of a wheel, or None",
            seen=answer.problem or f"handler returned {answer.payload!r}",
            log=answer.log,
        )
        return answer.payload.get("wheel")

    def build(self, content, layer, **event):
        """Put wheels (name -> content) into the bucket, and build a layer; return the function's answer."""
        s3 = self.deployment.client("s3")
        for name, body in content.items():
            s3.put_object(Bucket=self.bucket, Key=f"wheels/{name}", Body=body)
        place = {"bucket": self.bucket, "folder": "wheels/", "layer": layer}
        return self.deployment.invoke(self.function, place | event)

    def read(self, layer):
        """The object that build_layer's file became, or None."""
        s3 = self.deployment.client("s3")
        found = s3.list_objects_v2(Bucket=self.bucket, Prefix=layer).get("Contents", [])
        return s3.get_object(Bucket=self.bucket, Key=layer)["Body"].read() if found else None

    def entries(self, layer, answer, tried):
        """The files of a layer that was built: name -> (mode, content). Raises Unmet where there is none."""
        answer.must_work(tried, "no error")
        found = self.read(layer)
        expect(
            found is not None,
            tried=tried,
            expected="a layer in the bucket",
            seen="choose_wheel found no wheel, so nothing was built",
        )
        try:
            with zipfile.ZipFile(io.BytesIO(found)) as archive:
                return {
                    entry.filename: (entry.external_attr >> 16, archive.read(entry))
                    for entry in archive.infolist()
                    if not entry.is_dir()
                }
        except zipfile.BadZipFile as error:
            seen = f"{len(found):,} bytes that are no zip: {error}"
            raise Unmet(tried=tried, expected="a zip file", seen=seen) from None
