"""A part of a network at a shape: what is counted or timed by itself.

Plain data: nothing here loads TensorFlow.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, order=True)
class Part:
    """One operation at the shape at which a network uses it.

    Attributes:
      operation: a candidate's name, or that of what stands around the
        candidates: "stem", "head", "input_conv", ...
      height, width: of the feature map that enters, in pixels.
      input_channels: channels of that map.
      output_channels: channels of the map that leaves.
      stride: 1 or 2.
    """

    operation: str
    height: int
    width: int
    input_channels: int
    output_channels: int
    stride: int

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Returns [H, W, C] of the map that enters."""
        return self.height, self.width, self.input_channels

    def __str__(self) -> str:
        return (
            f"{self.operation} at {self.height} x {self.width}, "
            f"{self.input_channels} -> {self.output_channels} channels, "
            f"stride {self.stride}"
        )


CALL = Part("call", 1, 1, 1, 1, 1)
"""The call of a network, however little it computes: every network has one."""
