// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.planted.unheard;

/** Lives in a package that the table does not know. */
public final class Stray {}
