// SPDX-License-Identifier: Apache-2.0

/**
 * From an integer graph to kernels for NVIDIA GPUs. In goes an {@code IntGraph}, out comes an
 * engine that returns the same integers as the reference. May use the pure packages of the core
 * module only: {@code numeric}, {@code scheme}, {@code graph}, {@code engine} and {@code check}; a
 * deployed engine needs neither DL4J nor ND4J.
 *
 * <p>{@code driver} binds the CUDA driver and NVRTC, and nothing else touches native code; {@code
 * kernel} makes a kernel's source, constants and launch for one problem; {@code plan} makes of a
 * graph the list of launches and the memory that they share; this package compiles, writes and
 * reads engine files, and runs them.
 *
 * <p>In device memory codes are int8 or uint8 containers, [example, height, width, channel] with
 * the channels padded to a multiple of 16 (the pitch); a vector is one pixel. What the padding
 * channels hold is not defined; their weights are 0. Graph inputs and float outputs are float32 in
 * the graph's own order.
 */
@NullMarked
package org.dl4jquant.cuda;

import org.jspecify.annotations.NullMarked;
