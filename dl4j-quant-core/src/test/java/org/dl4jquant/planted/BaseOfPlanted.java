// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.planted;

/** A name that is banned, in the root package, which nobody may use. */
public final class BaseOfPlanted {}
