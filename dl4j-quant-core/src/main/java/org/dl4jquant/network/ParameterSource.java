// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.check.Require;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The origin of a parameter's values in a network that was edited. */
public sealed interface ParameterSource {

    /**
     * Returns a parameter of the network before the edit. What the updater remembers of it is
     * carried over, too.
     *
     * @param step the name of a layer or vertex
     * @param parameter its parameter's name
     * @return all of that parameter
     */
    static Kept kept(String step, String parameter) {
        return new Kept(
                Require.given(step, "step"), Require.given(parameter, "parameter"), List.of());
    }

    /**
     * Returns given values, of which no updater remembers anything yet.
     *
     * @param values the values, in the parameter's shape; copied when the network is built
     * @return these values
     */
    static ParameterSource given(INDArray values) {
        return new Given(Require.given(values, "values"));
    }

    /**
     * Returns the values that the layer's own weight initialization draws, by ND4J's random numbers
     * as they stand.
     *
     * @return fresh values
     */
    static ParameterSource fresh() {
        return new Fresh();
    }

    /**
     * The kept part of an axis.
     *
     * @param axis the axis of a parameter, from 0
     * @param indices the indices to keep, in the order in which they are to be
     */
    record Slice(int axis, List<Integer> indices) {

        /** Copies the indices. */
        public Slice {
            indices = List.copyOf(indices);
        }
    }

    /**
     * Values of a parameter before the edit.
     *
     * @param step the name of its layer or vertex
     * @param parameter its name
     * @param slices the indices that are kept of it; all indices of the axes that are not named
     */
    record Kept(String step, String parameter, List<Slice> slices) implements ParameterSource {

        /** Copies the slices. */
        public Kept {
            slices = List.copyOf(slices);
        }

        /**
         * Keeps some indices of an axis.
         *
         * @param axis the axis, from 0, that has no slice yet
         * @param indices the indices to keep, in the order in which they are to be; one at least
         * @return the smaller, reordered or repeated parameter
         */
        public Kept keep(int axis, int... indices) {
            Require.argument(
                    Require.given(indices, "indices").length > 0
                            && slices.stream().noneMatch(slice -> slice.axis() == axis),
                    "axis %d of parameter '%s' of '%s': give the indices to keep, once",
                    axis,
                    parameter,
                    step);
            List<Slice> longer = new ArrayList<>(slices);
            longer.add(new Slice(axis, Arrays.stream(indices).boxed().toList()));
            return new Kept(step, parameter, longer);
        }

        /** {@return the slice of an array of the parameter's shape, detached from it} */
        INDArray of(INDArray whole) {
            INDArray part = whole.dup();
            for (Slice slice : slices) {
                long size = slice.axis() < part.rank() ? part.size(slice.axis()) : 0;
                for (int index : slice.indices()) {
                    Require.argument(
                            index >= 0 && index < size,
                            "parameter '%s' of '%s' has the shape %s, so axis %d has no index %d",
                            parameter,
                            step,
                            Arrays.toString(whole.shape()),
                            slice.axis(),
                            index);
                }
                part = take(part, slice);
            }
            return part;
        }

        private static INDArray take(INDArray whole, Slice slice) {
            long[] shape = whole.shape().clone();
            shape[slice.axis()] = slice.indices().size();
            INDArray part = Nd4j.create(whole.dataType(), shape);
            for (int i = 0; i < slice.indices().size(); i++) {
                at(part, slice.axis(), i).assign(at(whole, slice.axis(), slice.indices().get(i)));
            }
            return part;
        }

        private static INDArray at(INDArray array, int axis, long index) {
            INDArrayIndex[] place = new INDArrayIndex[array.rank()];
            Arrays.fill(place, NDArrayIndex.all());
            place[axis] = NDArrayIndex.interval(index, index + 1);
            return array.get(place);
        }
    }

    /**
     * Given values.
     *
     * @param values the values
     */
    record Given(INDArray values) implements ParameterSource {}

    /** Values that the layer's weight initialization draws. */
    record Fresh() implements ParameterSource {}
}
