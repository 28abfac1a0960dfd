// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.check.Require;

/**
 * The constants of a kernel, as numbers.
 *
 * @param kernel the kernel
 */
record KernelConstants(KernelSpec kernel) {

    /** {@return the constant QK_name} */
    long of(String name) {
        String value = kernel.constants().get("QK_" + name);
        Require.argument(value != null, "%s has no constant QK_%s", kernel.file(), name);
        return Long.parseLong(value);
    }

    boolean is(String name) {
        return of(name) != 0;
    }

    /** {@return a number of channels, rounded up to a multiple of 16} */
    long padded(String name) {
        return ImageLayout.padded(Math.toIntExact(of(name)));
    }

    /** {@return height times width} */
    long area(String prefix) {
        return of(prefix + "HEIGHT") * of(prefix + "WIDTH");
    }
}
