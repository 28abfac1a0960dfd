// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.train.SafeModels;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Model files of every kind of layer are read as DL4J reads them. */
class ModelFilesTest {

    @TempDir Path folder;

    static List<SampleNetworks.Kind> kinds() {
        return SampleNetworks.all();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void everyKindOfLayerIsRestoredAsDl4jRestoresIt(SampleNetworks.Kind kind) throws IOException {
        isRestoredAsDl4jRestoresIt(kind.network());
        isRestoredAsDl4jRestoresIt(
                Quantization.prepare(
                        kind.network(),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(kind.data())));
    }

    private void isRestoredAsDl4jRestoresIt(ComputationGraph network) throws IOException {
        File file = folder.resolve("model.zip").toFile();
        ModelSerializer.writeModel(network, file, true);
        ComputationGraph expected = ModelSerializer.restoreComputationGraph(file, true);
        ComputationGraph actual = SafeModels.standard().restoreComputationGraph(file, true);
        assertEquals(expected.getConfiguration().toJson(), actual.getConfiguration().toJson());
        assertEquals(expected.params(), actual.params());
        assertEquals(
                expected.getUpdater().getStateViewArray(), actual.getUpdater().getStateViewArray());
    }
}
