# SPDX-License-Identifier: Apache-2.0
"""Stands in for PyTorch where peers.py is tried: tensors have a shape and a type, and no values.

It knows the calls of PyTorch that peers.py makes, and refuses shapes that do not fit.
"""

import contextlib
import itertools

from torch import nn as nn

__version__ = "0.0 (fake)"

float16, bfloat16, float32, float8_e4m3fn, int8, uint8 = (
    "float16",
    "bfloat16",
    "float32",
    "float8_e4m3fn",
    "int8",
    "uint8",
)
channels_last = "channels_last"


class Tensor:
    def __init__(self, shape, dtype=float32):
        self.shape, self.dtype = tuple(shape), dtype

    def to(self, dtype=None, memory_format=None):
        assert memory_format is None or len(self.shape) == 4, self.shape
        return Tensor(self.shape, dtype or self.dtype)

    def t(self):
        assert len(self.shape) == 2, self.shape
        return Tensor(self.shape[::-1], self.dtype)

    def copy_(self, other):
        assert self.shape == other.shape
        return self

    def __add__(self, other):
        assert self.shape == other.shape, (self.shape, other.shape)
        return Tensor(self.shape, self.dtype)


def randn(*shape, device):
    assert device == "cuda"
    return Tensor(shape)


def randint(low, high, shape, device, dtype):
    assert device == "cuda" and low < high
    return Tensor(shape, dtype)


def ones(shape, device, dtype):
    assert device == "cuda"
    return Tensor(shape, dtype)


def empty_like(tensor):
    return Tensor(tensor.shape, tensor.dtype)


def mm(a, b, out):
    assert a.shape[1] == b.shape[0] and a.dtype == b.dtype == out.dtype
    return out


def _int_mm(a, b):
    assert a.shape[1] == b.shape[0] and a.dtype == b.dtype == int8


def _scaled_mm(a, b, scale_a, scale_b, out_dtype, use_fast_accum):
    raise RuntimeError("no fp8 here\nand a second line")


def manual_seed(seed):
    pass


no_grad = contextlib.nullcontext


def compile(model, mode, dynamic):
    assert mode == "max-autotune" and not dynamic
    return model


class compiler:
    @staticmethod
    def cudagraph_mark_step_begin():
        pass


class version:
    cuda = "none"


class backends:
    class cudnn:
        benchmark = False

        @staticmethod
        def version():
            return 0


class _Graph:
    def replay(self):
        pass


class _Event:
    def __init__(self, enable_timing):
        assert enable_timing

    def record(self):
        pass

    def synchronize(self):
        pass

    # 8, 12, 16, 8, ... ms between two events: for rounds of 4 a median of 3.
    times = itertools.cycle((8.0, 12.0, 16.0))

    def elapsed_time(self, end):
        return next(_Event.times)


class _Stream:
    def wait_stream(self, other):
        assert isinstance(other, _Stream)


class cuda:
    Event, Stream, CUDAGraph = _Event, _Stream, _Graph

    stream = contextlib.nullcontext
    graph = contextlib.nullcontext

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def current_stream():
        return _Stream()

    @staticmethod
    def synchronize():
        pass

    @staticmethod
    def empty_cache():
        pass

    @staticmethod
    def get_device_name(number):
        return "no GPU"
