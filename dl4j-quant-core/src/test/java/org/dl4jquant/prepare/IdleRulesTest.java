// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class IdleRulesTest {

    private static MultiLayerNetwork network() {
        return network("first");
    }

    private static MultiLayerNetwork network(String second) {
        return Networks.of(
                InputType.feedForward(4),
                new DenseLayer.Builder()
                        .name("first")
                        .nOut(5)
                        .activation(Activation.IDENTITY)
                        .build(),
                new BatchNormalization.Builder().name("norm").build(),
                new ActivationLayer.Builder().name("relu").activation(Activation.RELU).build(),
                new DropoutLayer.Builder(0.5).name("drop").build(),
                new DenseLayer.Builder().name(second).nOut(5).activation(Activation.RELU).build(),
                new BatchNormalization.Builder().name("alone").build(),
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .name("output")
                        .nOut(Networks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build());
    }

    private static PrepareReport report(MultiLayerNetwork network, QuantSpec spec) {
        return Preparation.prepare(network, spec, Networks.batches(Networks.data(16, 4))).report();
    }

    private static List<String> warnings(LayerSelector selector, LayerScheme scheme) {
        return report(network("second"), QuantSpec.of(LayerScheme.INT8).with(selector, scheme))
                .warnings();
    }

    private static void warns(LayerSelector selector, LayerScheme scheme, String... parts) {
        List<String> warnings = warnings(selector, scheme);
        assertEquals(1, warnings.size(), warnings.toString());
        for (String part : parts) {
            assertTrue(warnings.get(0).contains(part), warnings.get(0));
        }
    }

    @Test
    void aRuleThatNamesNoLayerSaysWhichNamesAreNear() {
        warns(
                LayerSelector.named("frist"),
                LayerScheme.INT4,
                "the rule for named(\"frist\") decides nothing: it selects no layer; near it are"
                        + " [first]");
        warns(LayerSelector.named("First"), LayerScheme.INT4, "near it are [first]");
        warns(
                LayerSelector.named("transformer"),
                LayerScheme.FLOAT,
                "there are [first, norm, relu, drop, second, alone, output]");
    }

    @Test
    void aRuleForATypeThatIsNotThereSaysWhichTypesAreNear() {
        warns(
                LayerSelector.ofType("Dense"),
                LayerScheme.INT4,
                "ofType(\"Dense\")",
                "near it are [DenseLayer]");
        warns(
                LayerSelector.ofType("ConvolutionLayer"),
                LayerScheme.FLOAT,
                "it selects no layer; there are [DenseLayer, BatchNormalization, ActivationLayer,"
                        + " DropoutLayer, OutputLayer]");
    }

    @Test
    void aPatternThatIsOnlyAPartSaysSo() {
        warns(
                LayerSelector.matching("out"),
                LayerScheme.INT4,
                "the whole name must match, and the pattern is only a part of [output]");
        warns(LayerSelector.matching("conv.*"), LayerScheme.INT4, "there are [first,");
    }

    @Test
    void aPlaceBeyondTheLayersSaysHowManyThereAre() {
        for (int place : new int[] {3, -4}) {
            warns(
                    LayerSelector.at(place),
                    LayerScheme.INT4,
                    "at(" + place + ")",
                    "there are 3 layers that can be quantized, at(0) to at(2) or, from the end,"
                            + " at(-1) to at(-3)");
        }
    }

    @Test
    void aPlaceBeyondTheLayersHoldsForNoActivation() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(4),
                        new DenseLayer.Builder().nOut(5).activation(Activation.RELU).build(),
                        new ActivationLayer(Activation.TANH),
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(Networks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8);
        for (int place : new int[] {2, 3, 4, -3, -4}) {
            assertEquals(
                    report(network, spec).layers(),
                    report(network, spec.with(LayerSelector.at(place), LayerScheme.FLOAT))
                            .layers());
        }
    }

    @Test
    void aRuleForAJoinedLayerSaysWhichOneDecides() {
        for (LayerScheme scheme : List.of(LayerScheme.FLOAT, LayerScheme.INT4)) {
            warns(LayerSelector.named("norm"), scheme, "'norm' is joined with 'first'");
            warns(LayerSelector.named("relu"), scheme, "'relu' is joined with 'first'");
            warns(LayerSelector.ofType("ActivationLayer"), scheme, "'relu' is joined with 'first'");
        }
    }

    @Test
    void aRuleForWhatCannotBeQuantizedSaysWhy() {
        warns(LayerSelector.named("drop"), LayerScheme.INT4, "passes codes on as they are");
    }

    @Test
    void rulesThatDecideAreNotWarnedOf() {
        for (LayerSelector selector :
                List.of(
                        LayerSelector.named("second"),
                        LayerSelector.matching("f.*"),
                        LayerSelector.ofType("DenseLayer"),
                        LayerSelector.first(),
                        LayerSelector.last(),
                        LayerSelector.at(-3))) {
            assertEquals(List.of(), warnings(selector, LayerScheme.INT4));
        }
        // It stays in float anyway, as the rule wants it.
        assertEquals(List.of(), warnings(LayerSelector.named("alone"), LayerScheme.FLOAT));
    }

    @Test
    void theReportShowsItsWarnings() {
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT8).with(LayerSelector.named("x"), LayerScheme.INT4);
        PrepareReport report = report(network("second"), spec);
        assertTrue(report.toString().endsWith("warning: " + report.warnings().get(0)));
    }

    @Test
    void layersOfOneNameAreWarnedOf() {
        PrepareReport report = report(network(), QuantSpec.of(LayerScheme.INT8));
        assertEquals(
                List.of(
                        "several layers are called 'first'; the one at index 4 is 'first_2' from"
                                + " here on"),
                report.warnings());
        assertEquals("DenseLayer", report.layer("first_2").type());
    }

    // ---- the distance
    // ----------------------------------------------------------------------------

    @Test
    void distancesAreThoseOfTextbooks() {
        assertEquals(3, IdleRules.distance("kitten", "sitting"));
        assertEquals(3, IdleRules.distance("saturday", "sunday"));
        assertEquals(0, IdleRules.distance("Conv1", "conv1"));
        assertEquals(4, IdleRules.distance("", "conv"));
    }

    @Property(tries = 200)
    void theDistanceIsAMetric(
            @ForAll @AlphaChars @StringLength(max = 6) String a,
            @ForAll @AlphaChars @StringLength(max = 6) String b,
            @ForAll @AlphaChars @StringLength(max = 6) String c) {
        assertEquals(IdleRules.distance(a, b), IdleRules.distance(b, a));
        assertEquals(a.equalsIgnoreCase(b), IdleRules.distance(a, b) == 0);
        assertTrue(IdleRules.distance(a, c) <= IdleRules.distance(a, b) + IdleRules.distance(b, c));
    }
}
