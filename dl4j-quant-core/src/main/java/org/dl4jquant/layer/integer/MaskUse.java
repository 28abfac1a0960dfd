// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

/** The use that a step makes of the mask of its input. */
public enum MaskUse {
    /** Its nodes do not obey a mask as the network does: it cannot be lowered with one. */
    REFUSED,

    /** Its nodes obey the mask, or ignore it, as the network does, and its result has the mask. */
    UNDERSTOOD,

    /** Its nodes obey the mask as the network does, and its result has no mask. */
    ENDS
}
