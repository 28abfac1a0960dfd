// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.preprocessors.KerasFlattenRnnPreprocessor;
import org.deeplearning4j.preprocessors.PermutePreprocessor;
import org.deeplearning4j.preprocessors.ReshapePreprocessor;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * A preprocessor that DL4J's import of Keras models puts in the place of a layer of Keras.
 *
 * @param configuration the configuration
 * @param integers its integer form, or why it has none
 */
record KerasPreprocessorKind(InputPreProcessor configuration, IntegerSupport integers)
        implements LayerKind {

    static LayerKind of(PermutePreprocessor permute) {
        int[] axes = permute.getPermutationIndices();
        // The batch, axis 0, may be left out.
        List<Integer> order =
                IntStream.of(axes)
                        .skip(axes.length > 0 && axes[0] == 0 ? 1 : 0)
                        .mapToObj(axis -> axis - 1)
                        .toList();
        List<Integer> natural = IntStream.range(0, order.size()).boxed().toList();
        return new KerasPreprocessorKind(
                permute,
                order.stream().sorted().toList().equals(natural)
                        ? MoveForm.of(
                                permute, order.size(), shape -> IndexMap.permute(shape, order))
                        : IntegerSupport.refused(
                                "it orders the axes as " + Arrays.toString(axes),
                                "let the axes of an example, from 1, each occur once"));
    }

    static LayerKind of(ReshapePreprocessor reshape) {
        long[] sizes = reshape.getTargetShape();
        int batch = reshape.isHasMiniBatchDimension() ? 1 : 0;
        boolean known =
                sizes.length > batch
                        && LongStream.of(sizes)
                                .skip(batch)
                                .allMatch(size -> size > 0 && size <= Integer.MAX_VALUE);
        return new KerasPreprocessorKind(
                reshape,
                known
                        ? flat(
                                reshape,
                                new Shape(
                                        LongStream.of(sizes)
                                                .skip(batch)
                                                .mapToObj(size -> (int) size)
                                                .toList()))
                        : IntegerSupport.refused(
                                "it reshapes to " + Arrays.toString(sizes),
                                "reshape examples to sizes above 0"));
    }

    static LayerKind of(KerasFlattenRnnPreprocessor flatten) {
        int elements = Math.toIntExact(flatten.getDepth() * flatten.getTsLength());
        return new KerasPreprocessorKind(flatten, flat(flatten, Shape.of(elements)));
    }

    private static IntegerSupport flat(Object configuration, Shape target) {
        return MoveForm.of(configuration, 0, shape -> IndexMap.identity(shape).reshaped(target));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }
}
