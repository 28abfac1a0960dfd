# SPDX-License-Identifier: Apache-2.0
"""Joins layers that are not in training."""


def fuse_conv_bn_eval(convolution, norm):
    assert not convolution.training and not norm.training
    assert convolution.outputs == norm.channels
    return convolution
