// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * Some examples of one tensor, example by example, each row-major.
 *
 * <p>For speed the arrays are neither copied in nor out: whoever makes a batch must not write to
 * its array afterwards.
 */
public sealed interface Batch {

    /** {@return how many examples there are} */
    int size();

    /** {@return one example's dimensions} */
    Shape shape();

    /** A batch of float32 values. */
    final class Floats implements Batch {

        private final int size;
        private final Shape shape;
        private final float[] values;

        private Floats(int size, Shape shape, float[] values) {
            this.size = size;
            this.shape = shape;
            this.values = values;
        }

        /**
         * {@return a batch that holds this array}
         *
         * @param size how many examples, above 0
         * @param shape one example's dimensions
         * @param values the values; not copied
         * @throws IllegalArgumentException if there are not {@code size * shape.elements()} values
         */
        public static Floats of(int size, Shape shape, float[] values) {
            Require.given(shape, "shape");
            Require.given(values, "values");
            requireLength(size, shape, values.length);
            return new Floats(size, shape, values);
        }

        @Override
        public int size() {
            return size;
        }

        @Override
        public Shape shape() {
            return shape;
        }

        /** {@return the values themselves, not a copy} */
        public float[] values() {
            return values;
        }

        @Override
        public String toString() {
            return size + " x " + shape + " float32 values";
        }
    }

    /** A batch of codes in containers of one byte, or of two if their range is wide. */
    final class Codes implements Batch {

        private final int size;
        private final Shape shape;
        private final byte[] containers;
        private final QuantParams params;
        private final boolean wide;

        private Codes(int size, Shape shape, byte[] containers, QuantParams params) {
            this.size = size;
            this.shape = shape;
            this.containers = containers;
            this.params = params;
            this.wide = params.range().isWide();
        }

        /**
         * {@return a batch that holds this array}
         *
         * @param size how many examples, above 0
         * @param shape one example's dimensions
         * @param containers int8 codes if the range is signed, else uint8; two bytes a code, the
         *     lower one first, if it is wide; not copied
         * @param params how the codes stand for values
         * @throws IllegalArgumentException if there are not {@code size * shape.elements()} codes
         */
        public static Codes of(int size, Shape shape, byte[] containers, QuantParams params) {
            Require.given(shape, "shape");
            Require.given(containers, "containers");
            Require.given(params, "params");
            int width = params.range().bytes();
            requireLength(size, shape, containers.length / width);
            Require.argument(
                    containers.length % width == 0,
                    "%d bytes are no codes of 16 bits",
                    containers.length);
            return new Codes(size, shape, containers, params);
        }

        /**
         * {@return a batch of codes, of any width}
         *
         * @param size how many examples, above 0
         * @param shape one example's dimensions
         * @param codes codes of the range of {@code params}
         * @param params how the codes stand for values
         * @throws IllegalArgumentException if there are not {@code size * shape.elements()} codes
         */
        public static Codes ofCodes(int size, Shape shape, int[] codes, QuantParams params) {
            Require.given(shape, "shape");
            CodeRange range = Require.given(params, "params").range();
            byte[] containers = new byte[Require.given(codes, "codes").length * range.bytes()];
            for (int i = 0; i < codes.length; i++) {
                range.encode(codes[i], containers, i);
            }
            return of(size, shape, containers, params);
        }

        @Override
        public int size() {
            return size;
        }

        @Override
        public Shape shape() {
            return shape;
        }

        /** {@return how the codes stand for values} */
        public QuantParams params() {
            return params;
        }

        /** {@return the container bytes themselves, not a copy} */
        public byte[] containers() {
            return containers;
        }

        /**
         * {@return one code}
         *
         * @param index from 0, over all examples
         */
        public int code(int index) {
            return wide
                    ? params.range().decode(containers, index)
                    : params.range().decode(containers[index]);
        }

        @Override
        public String toString() {
            return size + " x " + shape + " codes of " + params;
        }
    }

    private static void requireLength(int size, Shape shape, int length) {
        Require.argument(
                size > 0 && (long) size * shape.elements() == length,
                "%d values are no batch of %d examples of shape %s, which has %d",
                length,
                size,
                shape,
                (long) size * shape.elements());
    }
}
