// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.file.Path;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.modelimport.keras.KerasModelImport;
import org.dl4jquant.Quantization;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Networks that DL4J imports from files of Keras train with quantizers and become integers, and the
 * same model has the same codes in both formats of images.
 */
class KerasImportTest {

    private static final QuantSpec SPEC = QuantSpec.of(LayerScheme.INT8);
    private static final int EXAMPLES = 4;
    private static final int SIZE = 8;

    /* Sums of float32 in another order. */
    private static final float ORDER = 1e-5f;

    /* How far a probability may be from that of the float network: 8 bits in up to ten random layers
     * in a row; the largest difference seen is about half of it. */
    private static final float ROUNDING = 0.05f;

    @TempDir Path folder;

    /** The format of images in a file. */
    private enum Format {
        CHANNELS_FIRST,
        CHANNELS_LAST;

        boolean last() {
            return this == CHANNELS_LAST;
        }

        INDArray of(INDArray images) {
            return last() ? images.permute(0, 2, 3, 1).dup('c') : images;
        }
    }

    private ComputationGraph phone(Format format) {
        Path file = folder.resolve("phone-" + format + ".h5");
        new KerasModels(1, format.last())
                .mobile(SIZE)
                .writeFunctional(file, "classes", KerasOptions.TRAINING);
        return KerasFile.withHdf5(
                () -> KerasModelImport.importKerasModelAndWeights(file.toString(), true));
    }

    private ComputationGraph chain(KerasFile model, Map<String, Object> training) {
        Path file = folder.resolve("chain.h5");
        model.writeSequential(file, training);
        return KerasFile.withHdf5(
                () ->
                        KerasModelImport.importKerasSequentialModelAndWeights(
                                        file.toString(), !training.isEmpty())
                                .toComputationGraph());
    }

    private ComputationGraph images(Format format) {
        return chain(new KerasModels(2, format.last()).images(SIZE), KerasOptions.TRAINING);
    }

    private static INDArray images() {
        return Networks.normal(5, EXAMPLES, 2, SIZE, SIZE);
    }

    /* Near its float network, so that not everything is wrong in the same way. */
    private static ComputationGraph prepared(ComputationGraph network, INDArray features) {
        DataSet data = new DataSet(features, Networks.labels(EXAMPLES));
        ComputationGraph quantized = Quantization.prepare(network, SPEC, Networks.batches(data));
        assertArrayEquals(
                floats(network.outputSingle(features)),
                floats(quantized.outputSingle(features)),
                ROUNDING);
        return quantized;
    }

    private static void requireExact(ComputationGraph network, INDArray features) {
        ComputationGraph quantized = prepared(network, features);
        quantized.fit(new DataSet(features, Networks.labels(EXAMPLES)));
        EqualIntegers.lowered(quantized, features);
    }

    private static float[] floats(INDArray array) {
        return array.dup('c').data().asFloat();
    }

    @ParameterizedTest
    @EnumSource
    void sumsConcatenationsAndDepthwiseConvolutionsBecomeIntegers(Format format) {
        requireExact(phone(format), format.of(images()));
    }

    @ParameterizedTest
    @EnumSource
    void imagesThatAreFlattenedBecomeIntegers(Format format) {
        requireExact(images(format), format.of(images()));
    }

    @Test
    void vectorsBecomeIntegers() {
        requireExact(
                chain(new KerasModels(3, true).vectors(), KerasOptions.TRAINING),
                Networks.normal(7, EXAMPLES, 6));
    }

    @Test
    void embeddedIndicesBecomeIntegers() {
        requireExact(
                chain(new KerasModels(4, true).indices(6), KerasOptions.TRAINING),
                Nd4j.createFromArray(
                        new float[][] {
                            {0, 1, 2, 3, 4, 5},
                            {6, 5, 4, 3, 2, 1},
                            {1, 1, 1, 1, 1, 1},
                            {0, 6, 0, 6, 0, 6}
                        }));
    }

    @Test
    void convolutionsOfSequencesBecomeIntegers() {
        requireExact(
                chain(new KerasModels(5, true).sequences(8), KerasOptions.TRAINING),
                Networks.normal(9, EXAMPLES, 8, 3));
    }

    /** Such an import has no output layer, so DL4J cannot train it. */
    @Test
    void aModelThatWasNotCompiledBecomesIntegers() {
        INDArray images = Format.CHANNELS_LAST.of(images());
        ComputationGraph network = chain(new KerasModels(2, true).images(SIZE), Map.of());
        EqualIntegers.lowered(prepared(network, images), images);
    }

    @Test
    void bothFormatsHaveTheSameCodes() {
        requireSameCodes(phone(Format.CHANNELS_FIRST), phone(Format.CHANNELS_LAST));
    }

    private static void requireSameCodes(ComputationGraph first, ComputationGraph last) {
        INDArray images = images();
        INDArray turned = Format.CHANNELS_LAST.of(images);
        assertArrayEquals(
                floats(first.outputSingle(images)), floats(last.outputSingle(turned)), ORDER);
        ComputationGraph a = prepared(first, images);
        ComputationGraph b = prepared(last, turned);
        b.setParams(a.params()); // the scales, too, which float sums in another order may change
        EqualIntegers.lowered(b, turned);
        assertArrayEquals(floats(a.outputSingle(images)), floats(b.outputSingle(turned)));
    }
}
