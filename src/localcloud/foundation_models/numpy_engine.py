"""The language model in a process of its own."""


class NumpyEngine:
    name = "SmolLM2-135M-Instruct"

    async def close(self) -> None:
        pass
