// SPDX-License-Identifier: Apache-2.0

/**
 * What is wanted: number formats, granularity, the schemes of tensors and layers, and the {@code
 * QuantSpec} that says which layer gets which, with its JSON.
 *
 * <p>In: a user's wishes. Out: immutable, validated records; nothing here has seen data. A
 * <em>scheme</em> is a wish, <em>statistics</em> are what was seen, <em>params</em> are what was
 * fitted. Pure Java: uses {@code numeric} and {@code check}, and Jackson for JSON.
 */
@NullMarked
package org.dl4jquant.scheme;

import org.jspecify.annotations.NullMarked;
