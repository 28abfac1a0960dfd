/**
 * From an integer graph to kernels for NVIDIA GPUs. In goes an {@code IntGraph}, out comes an
 * engine that returns the same integers as the reference. May use the pure packages of the core
 * module only: {@code numeric}, {@code scheme}, {@code graph}, {@code engine} and {@code check}; a
 * deployed engine needs neither DL4J nor ND4J.
 */
@NullMarked
package org.dl4jquant.cuda;

import org.jspecify.annotations.NullMarked;
