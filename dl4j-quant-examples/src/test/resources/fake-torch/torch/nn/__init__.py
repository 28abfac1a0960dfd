# SPDX-License-Identifier: Apache-2.0
"""Layers that compute shapes."""

from torch.nn import utils as utils


def _like(x, *shape):
    return type(x)(shape, x.dtype)


class Module:
    weights = 0
    training = True

    def __call__(self, x):
        return self.forward(x)

    def modules(self):
        yield self
        for child in list(vars(self).values()):
            if isinstance(child, Module):
                yield from child.modules()

    def cuda(self):
        return self

    def train(self, mode=True):
        for module in self.modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def to(self, dtype=None, memory_format=None):
        assert (dtype is None) != (memory_format is None)
        return self


class Identity(Module):
    def forward(self, x):
        return x


class ReLU(Identity):
    def __init__(self, inplace):
        assert inplace


class ReLU6(ReLU):
    pass


class Conv2d(Module):
    def __init__(self, inputs, outputs, kernel, stride, padding, groups, bias):
        assert inputs % groups == 0 and outputs % groups == 0 and not bias
        self.inputs, self.outputs = inputs, outputs
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.weights = outputs * (inputs // groups) * kernel * kernel

    def forward(self, x):
        batch, channels, height, width = x.shape
        assert channels == self.inputs, (channels, self.inputs)
        sides = [
            (side + 2 * self.padding - self.kernel) // self.stride + 1 for side in (height, width)
        ]
        return _like(x, batch, self.outputs, *sides)


class MaxPool2d(Conv2d):
    def __init__(self, kernel, stride, padding):
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, x):
        self.inputs = self.outputs = x.shape[1]
        return super().forward(x)


class BatchNorm2d(Module):
    def __init__(self, channels, momentum):
        assert momentum == 1.0
        self.channels = channels

    def forward(self, x):
        assert x.shape[1] == self.channels
        return x


class AdaptiveAvgPool2d(Module):
    def __init__(self, side):
        self.side = side

    def forward(self, x):
        return _like(x, *x.shape[:2], self.side, self.side)


class Flatten(Module):
    def forward(self, x):
        assert x.shape[2:] == (1, 1), x.shape
        return _like(x, *x.shape[:2])


class Linear(Module):
    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = inputs, outputs
        self.weights = inputs * outputs

    def forward(self, x):
        assert len(x.shape) == 2 and x.shape[1] == self.inputs, x.shape
        return _like(x, x.shape[0], self.outputs)


class Sequential(Module):
    def __init__(self, *layers):
        for number, layer in enumerate(layers):
            assert isinstance(layer, Module), layer
            setattr(self, "layer%d" % number, layer)
        self.length = len(layers)

    def forward(self, x):
        for number in range(self.length):
            x = getattr(self, "layer%d" % number)(x)
        return x
