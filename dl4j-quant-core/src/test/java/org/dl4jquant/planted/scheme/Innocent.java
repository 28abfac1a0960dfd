// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.planted.scheme;

/** Uses nothing. */
public final class Innocent {}
