// SPDX-License-Identifier: Apache-2.0
package org.nd4j.nativeblas;

import java.lang.reflect.Method;

/**
 * Lets Deeplearning4j 1.0.0-M2.1 find oneDNN, which its own convolution, pooling and normalization
 * layers know how to use.
 *
 * <p>Before they use it, they ask a class of this name whether they may. ND4J moved that class to
 * another package before M2; the question was left as it was, the answer is always "no", and
 * convolutions run several times slower than they could. This class stands at the old place and
 * passes the question on to the new one.
 *
 * <p>Nothing happens unless the system property {@code org.eclipse.deeplearning4j.helpers.disable}
 * is {@code false}: without it DL4J never asks. With a library of ND4J that was built without
 * oneDNN, or on another backend than the CPU, DL4J computes as it always did.
 */
public final class Nd4jCpu {

    private Nd4jCpu() {}

    /** ND4J's switch for oneDNN, under the names that DL4J looks up by reflection. */
    public static final class Environment {

        private static final Environment INSTANCE = new Environment();

        private Environment() {}

        /** {@return the only instance} */
        public static Environment getInstance() {
            return INSTANCE;
        }

        /**
         * Says whether ND4J may use oneDNN (called MKL-DNN when DL4J was written).
         *
         * @return the switch of ND4J's CPU backend, or false if another backend is in use
         */
        public boolean isUseMKLDNN() {
            try {
                Class<?> moved =
                        Class.forName("org.nd4j.linalg.cpu.nativecpu.bindings.Nd4jCpu$Environment");
                Method isUseOneDnn = moved.getMethod("isUseONEDNN");
                return (boolean) isUseOneDnn.invoke(moved.getMethod("getInstance").invoke(null));
            } catch (ReflectiveOperationException | LinkageError e) {
                return false;
            }
        }
    }
}
