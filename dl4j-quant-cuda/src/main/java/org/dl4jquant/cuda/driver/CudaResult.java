// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import com.sun.jna.Pointer;
import java.util.Locale;

/** What the driver's functions return. */
final class CudaResult {

    private CudaResult() {}

    /**
     * Requires success.
     *
     * @param result what a function returned, a {@code CUresult}
     * @param call what was called
     * @param args the values that {@code call} shows
     * @throws CudaException if the result is not 0
     */
    @FormatMethod
    static void check(int result, @FormatString String call, Object... args) {
        if (result != 0) {
            long[] name = new long[1];
            long[] text = new long[1];
            int named = CudaSymbols.cuGetErrorName(result, name);
            int described = CudaSymbols.cuGetErrorString(result, text);
            throw CudaException.of(
                    String.format(Locale.ROOT, call, args),
                    result,
                    named == 0 ? string(name[0]) : "an error that this driver has no name for",
                    described == 0 ? string(text[0]) : "no text");
        }
    }

    private static String string(long address) {
        return new Pointer(address).getString(0, "UTF-8");
    }
}
