// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import java.util.Map;
import java.util.Objects;
import java.util.function.DoublePredicate;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Finds elements that are NaN or infinite. */
public final class NonFinite {

    /* An array is nearly always finite, so that this is found out first, about as fast as the array
     * can be copied: x * 0 is 0 for a finite x and NaN for any other, and adding chunks of such
     * products element by element is a loop that the JIT compiler makes vector code of, which a sum
     * over a chunk is not. Only what is not finite is then searched. ND4J's own reductions take
     * longer for the small arrays that most parameters are. */

    private static final int CHUNK = 4096;

    private NonFinite() {}

    /**
     * {@return whether an element is NaN}
     *
     * @param array any shape, order and type
     */
    public static boolean hasNan(INDArray array) {
        return firstNan(array) >= 0;
    }

    /**
     * {@return the row-major index of the first element that is NaN; -1 if none is}
     *
     * @param array any shape, order and type
     */
    public static long firstNan(INDArray array) {
        return first(array, Double::isNaN);
    }

    /**
     * {@return the row-major index of the first element that is NaN or infinite; -1 if all are
     * finite}
     *
     * @param array any shape, order and type
     */
    public static long first(INDArray array) {
        return first(array, value -> !Double.isFinite(value));
    }

    /**
     * {@return the name of the first array that has an element that is NaN or infinite; null if all
     * elements are finite}
     *
     * @param arrays arrays by name
     */
    public static @Nullable String firstName(Map<String, INDArray> arrays) {
        return arrays.entrySet().stream()
                .filter(entry -> first(Objects.requireNonNull(entry.getValue())) >= 0)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(null);
    }

    /**
     * {@return the index of the first number that is NaN or infinite in the whole buffer that an
     * array is a view of, such as the parameters of a network of which it is one layer's; -1 if all
     * are finite}
     *
     * @param view the array
     */
    public static long firstInBuffer(INDArray view) {
        DataBuffer whole = view.data().originalDataBuffer();
        DataBuffer buffer = whole == null ? view.data() : whole;
        for (long i = 0; i < buffer.length(); i++) {
            if (!Double.isFinite(buffer.getDouble(i))) {
                return i;
            }
        }
        return -1;
    }

    private static long first(INDArray array, DoublePredicate wanted) {
        if (array.isEmpty() || !array.dataType().isFPType() || isFinite(array)) {
            return -1;
        }
        double[] values = RowMajor.doubles(array);
        for (int i = 0; i < values.length; i++) {
            if (wanted.test(values[i])) {
                return i;
            }
        }
        return -1;
    }

    private static boolean isFinite(INDArray array) {
        if (FloatCursor.reaches(array)) {
            return isFiniteInHostMemory(array);
        }
        return Detached.compute(
                () ->
                        Double.isFinite(
                                array.castTo(DataType.DOUBLE).mul(0).sumNumber().doubleValue()));
    }

    private static boolean isFiniteInHostMemory(INDArray array) {
        Walk walk = Walk.inStorageOrderOf(array);
        FloatCursor cursor = FloatCursor.of(array, walk);
        int length = (int) Math.min(CHUNK, walk.length());
        float[] values = new float[length];
        float[] products = new float[length];
        for (long from = 0; from < walk.length(); from += length) {
            int count = (int) Math.min(length, walk.length() - from);
            cursor.read(from, values, count);
            addProducts(values, products, count);
        }
        float sum = 0;
        for (float product : products) {
            sum += product;
        }
        return sum == 0;
    }

    private static void addProducts(float[] values, float[] products, int count) {
        for (int i = 0; i < count; i++) {
            products[i] += values[i] * 0f;
        }
    }
}
