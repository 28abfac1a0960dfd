// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/** A calibration example that takes the codes from all others is named. */
class OutliersTest {

    private static final int EXAMPLES = 500;

    private static List<String> warnings(INDArray features, LayerScheme scheme) {
        return Preparation.prepare(
                        Networks.of(
                                InputType.feedForward(6),
                                new DenseLayer.Builder()
                                        .name("first")
                                        .nOut(8)
                                        .activation(Activation.TANH)
                                        .build(),
                                new OutputLayer.Builder().name("last").nOut(3).build()),
                        QuantSpec.of(scheme),
                        Networks.batches(new DataSet(features, Networks.labels(EXAMPLES))))
                .report()
                .warnings();
    }

    private static LayerScheme by(CalibrationMethod method) {
        return new LayerScheme(
                LayerScheme.INT8.weights(), LayerScheme.INT8.activations().withCalibration(method));
    }

    @Property(tries = 3)
    void namesTheOneExampleThatIsFarOff(@ForAll @IntRange(max = EXAMPLES - 1) int example) {
        INDArray features = Networks.normal(4, EXAMPLES, 6);
        features.putScalar(example, 2, 1000);

        List<String> warnings = warnings(features, by(new CalibrationMethod.MinMax()));

        String input = warnings.get(0);
        assertTrue(
                input.startsWith(
                        "the input of layer 'first': all but 5 of 500 calibration examples use "),
                input);
        assertTrue(input.contains(" of its 256 codes ("), input);
        assertTrue(input.contains("and example " + example + " reaches 1000. "), input);
        assertTrue(input.contains("Calibrate with CalibrationMethod.Percentile[percent="), input);
    }

    @Test
    void theDefaultMethodIsWatchedToo() {
        INDArray features = Networks.normal(4, EXAMPLES, 6);
        features.putScalar(77, 2, 100);

        List<String> warnings = warnings(features, LayerScheme.INT8);

        assertTrue(warnings.get(0).contains("and example 77 reaches 100."), warnings.toString());
        assertEquals(
                List.of(),
                warnings(features, by(new CalibrationMethod.Percentile(99))),
                "a method that is recommended");
    }

    @Property(tries = 3)
    void ordinaryDataAreNoReasonToWarn(@ForAll Random random) {
        INDArray features = Networks.normal(random.nextLong(), EXAMPLES, 6);
        assertEquals(List.of(), warnings(features, by(new CalibrationMethod.MinMax())));
        assertEquals(List.of(), warnings(features.mul(features), LayerScheme.INT8));
    }

    @Test
    void severalExamplesAreNamedAndNoPercentileCanHelpAgainstAWholeExample() {
        INDArray features = Networks.normal(4, EXAMPLES, 6);
        features.getRow(3).assign(500);
        features.getRow(9).assign(-500);
        features.getRow(499).assign(400);

        String input = warnings(features, by(new CalibrationMethod.MinMax())).get(0);

        assertTrue(input.contains("one of the examples [3, 9, 499] reaches 500."), input);
        assertTrue(input.contains("Percentile[percent=99.0]"), input);
    }

    @Test
    void codesThatNoExampleUsesAreNoExamplesFault() {
        INDArray features = Networks.normal(4, EXAMPLES, 6);

        String tiny = warnings(features.mul(1e-30), LayerScheme.INT8).get(0);
        assertTrue(
                tiny.startsWith(
                        "the input of layer 'first': the calibration examples use 1 of its 256"
                                + " codes (0.0 %): they reach "),
                tiny);
        assertTrue(tiny.endsWith(". No scale is smaller: multiply the data by a factor"), tiny);

        String wide = warnings(features, by(new CalibrationMethod.Sigma(50))).get(0);
        assertTrue(wide.contains(": the calibration examples use "), wide);
        assertTrue(
                wide.endsWith(". Calibrate with another method, such as CalibrationMethod.MinMax"),
                wide);
    }
}
