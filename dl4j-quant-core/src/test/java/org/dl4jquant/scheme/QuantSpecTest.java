// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.serde.JsonMappers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Which layer gets which scheme, and the same as JSON. */
final class QuantSpecTest {

    private static String refusal(Executable executable) {
        return assertThrows(IllegalArgumentException.class, executable).getMessage();
    }

    private static LayerPosition layer(String name, int index) {
        return new LayerPosition(name, "DenseLayer", index, 5);
    }

    @Test
    void theLastRuleThatSelectsALayerDecides() {
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT8)
                        .with(LayerSelector.ofType("DenseLayer"), LayerScheme.INT4)
                        .with(LayerSelector.named("b"), LayerScheme.FLOAT);
        assertEquals(LayerScheme.INT4, spec.schemeFor(layer("a", 1)));
        assertEquals(LayerScheme.FLOAT, spec.schemeFor(layer("b", 2)));
        assertEquals(
                LayerScheme.INT8, spec.schemeFor(new LayerPosition("c", "ConvolutionLayer", 3, 5)));
    }

    @Test
    void firstAndLastGetTheirOwnScheme() {
        QuantSpec spec = QuantSpec.of(LayerScheme.INT4).withFirstAndLast(LayerScheme.INT8);
        List<LayerScheme> schemes =
                Stream.of(0, 1, 3, 4).map(index -> spec.schemeFor(layer("x", index))).toList();
        assertEquals(
                List.of(LayerScheme.INT8, LayerScheme.INT4, LayerScheme.INT4, LayerScheme.INT8),
                schemes);
    }

    @ParameterizedTest
    @CsvSource({"conv[0-9]+, conv12, true", "conv[0-9]+, conv, false", "conv, conv1, false"})
    void aPatternMustMatchTheWholeName(String regex, String name, boolean selected) {
        assertEquals(selected, LayerSelector.matching(regex).selects(layer(name, 0)));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "4, 4", "-1, 4", "-5, 0"})
    void positionsCountFromEitherEnd(int position, int index) {
        for (int i = 0; i < 5; i++) {
            assertEquals(i == index, LayerSelector.at(position).selects(layer("x", i)));
        }
    }

    private static Stream<Estimator> estimators() {
        return Stream.of(
                Estimator.LSQ,
                Estimator.lsq(GradientScale.ONE),
                Estimator.lsq(GradientScale.COUNT),
                Estimator.STE,
                new Estimator.Ewgs(0.001));
    }

    static Stream<TensorScheme> tensorSchemes() {
        return Stream.of(
                        new CalibrationMethod.MinMax(),
                        new CalibrationMethod.MovingAverage(0.9),
                        new CalibrationMethod.Percentile(99.99),
                        new CalibrationMethod.Sigma(3),
                        new CalibrationMethod.Entropy(),
                        new CalibrationMethod.MeanSquaredError(),
                        new CalibrationMethod.LsqInitial())
                .flatMap(
                        method ->
                                Stream.of(new IntFormat(5), new Fp16Format())
                                        .map(
                                                format ->
                                                        TensorScheme.INT8_ACTIVATIONS
                                                                .withCalibration(method)
                                                                .withFormat(format)))
                .flatMap(scheme -> Stream.of(Symmetry.values()).map(scheme::withSymmetry))
                .flatMap(scheme -> estimators().map(scheme::withEstimator));
    }

    @ParameterizedTest
    @MethodSource("tensorSchemes")
    void everySchemeSurvivesJson(TensorScheme activations) throws IOException {
        TensorScheme weights =
                activations
                        .withSymmetry(Symmetry.SYMMETRIC)
                        .withGranularity(Granularity.PER_CHANNEL);
        QuantSpec spec =
                QuantSpec.of(new LayerScheme(weights, activations))
                        .with(LayerSelector.named("a"), new LayerScheme(weights, null))
                        .with(LayerSelector.matching("a.*"), new LayerScheme(null, activations))
                        .with(LayerSelector.ofType("DenseLayer"), LayerScheme.FLOAT)
                        .with(LayerSelector.at(-2), LayerScheme.FP16);
        assertEquals(spec, QuantSpec.fromJson(spec.toJson()));
        String byDl4j = JsonMappers.getMapper().writeValueAsString(activations);
        assertEquals(activations, JsonMappers.getMapper().readValue(byDl4j, TensorScheme.class));
    }

    @Test
    void theFirstVersionsFileStaysReadable() throws IOException {
        String json;
        try (InputStream file = QuantSpecTest.class.getResourceAsStream("quant-spec-1.json")) {
            json = new String(Objects.requireNonNull(file).readAllBytes(), StandardCharsets.UTF_8);
        }
        QuantSpec expected =
                QuantSpec.of(LayerScheme.INT4)
                        .withFirstAndLast(LayerScheme.INT8)
                        .with(LayerSelector.named("attention"), LayerScheme.FLOAT);
        assertEquals(expected, QuantSpec.fromJson(json));
    }

    @Test
    void aSpecMaySayThatItHasVersion1() {
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8);
        String json = spec.toJson().replaceFirst("\\{", "{ \"version\" : 1,");
        assertEquals(spec, QuantSpec.fromJson(json));
    }

    @Test
    void aSpecOfAnotherVersionIsRefused() {
        String refused =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> QuantSpec.fromJson("{ \"version\" : 2, \"new\" : [] }"))
                        .getMessage();
        assertEquals(
                "the quantization spec has version 2, and this version of dl4j-quant reads 1: use a"
                        + " newer version of dl4j-quant",
                refused);
    }

    static Stream<Arguments> damaged() {
        String good = QuantSpec.of(LayerScheme.INT8).toJson();
        return Stream.of(
                Arguments.of("{", "Unexpected end-of-input"),
                Arguments.of(good + "x", "Unrecognized token 'x'"),
                Arguments.of(
                        good.replace("\"rules\"", "\"rulez\""), "Missing creator property 'rules'"),
                Arguments.of(good.replace("\"bits\" : 8", "\"bits\" : 9"), "9 bits"),
                Arguments.of(
                        good.replace("PER_TENSOR", "PER_TENSER"),
                        "no granularity is \"PER_TENSER\"; there are [PER_TENSOR, PER_CHANNEL,"
                                + " PER_ROW] or an object of type [per-group]"),
                Arguments.of(good.replace("\"mse\"", "\"mes\""), "mes"),
                Arguments.of(
                        good.replace("LSQ", "LQS"),
                        "no estimator is \"LQS\"; there are [LSQ, STE, LSQ_PLUS] or an object of"
                                + " type [lsq, lsq_plus, ewgs, pact, dorefa]"),
                Arguments.of(
                        good.replace("\"LSQ\"", "{\"type\":\"lsq\",\"gradientScale\":\"TWO\"}"),
                        "estimator of type lsq has no 'gradientScale' of [ONE, COUNT,"
                                + " COUNT_AND_LEVELS]"),
                Arguments.of(good.replace("\"LSQ\"", "{\"type\":\"egws\"}"), "egws"),
                Arguments.of(
                        good.replace("\"LSQ\"", "{\"type\":\"dorefa\",\"fitted\":1}"),
                        "estimator of type dorefa has no true or false 'fitted'"),
                Arguments.of(
                        good.replace("\"LSQ\"", "{\"type\":\"ewgs\"}"),
                        "estimator of type ewgs has no number 'delta'"),
                Arguments.of(
                        good.replace("\"LSQ\"", "{\"type\":\"ewgs\",\"delta\":-2}"),
                        "EWGS with delta -2.0"),
                Arguments.of("{\"rules\" : []}", "otherwise"));
    }

    @ParameterizedTest
    @MethodSource("damaged")
    void refusesDamagedJsonAndSaysWhere(String json, String found) {
        String message = refusal(() -> QuantSpec.fromJson(json));
        assertTrue(message.startsWith("the quantization spec is not valid: "), message);
        assertTrue(message.contains(found), message);
        assertTrue(message.endsWith("compare it with what QuantSpec.toJson() writes"), message);
    }

    @Test
    void refusesNull() {
        assertEquals(
                "the quantization spec is not valid: it is null",
                refusal(() -> QuantSpec.fromJson("null")));
    }

    @Test
    void refusesWhatNoEngineCanRun() {
        assertEquals(
                "integer format of 9 bits: the width must be in [2, 8], or 16",
                refusal(() -> new IntFormat(9)));
        assertEquals(
                "per-channel scales cannot be asymmetric: the integer contract has zero point 0 for"
                        + " weights; use Symmetry.SYMMETRIC or Granularity.PER_TENSOR",
                refusal(() -> TensorScheme.INT8_WEIGHTS.withSymmetry(Symmetry.ASYMMETRIC)));
        assertEquals(
                "activations have one scale per tensor in the integer contract, not PER_CHANNEL;"
                        + " use Granularity.PER_TENSOR",
                refusal(() -> new LayerScheme(null, TensorScheme.INT8_WEIGHTS)));
        assertEquals(
                "weights have zero point 0 in the integer contract; use Symmetry.SYMMETRIC",
                refusal(
                        () ->
                                new LayerScheme(
                                        TensorScheme.INT8_ACTIVATIONS.withSymmetry(
                                                Symmetry.ASYMMETRIC),
                                        null)));
    }

    @Test
    void estimatorsOfActivationsSurviveJson() {
        TensorScheme activations = TensorScheme.INT8_ACTIVATIONS;
        for (TensorScheme scheme :
                List.of(
                        activations.withEstimator(new Estimator.Pact(1e-4)),
                        activations.withEstimator(new Estimator.DoReFa(false)),
                        activations.withEstimator(new Estimator.DoReFa(true)),
                        activations
                                .withSymmetry(Symmetry.ASYMMETRIC)
                                .withEstimator(Estimator.LSQ_PLUS),
                        activations
                                .withSymmetry(Symmetry.ASYMMETRIC)
                                .withEstimator(Estimator.lsqPlus(GradientScale.COUNT)))) {
            QuantSpec spec = QuantSpec.of(new LayerScheme(TensorScheme.INT8_WEIGHTS, scheme));
            assertEquals(spec, QuantSpec.fromJson(spec.toJson()));
        }
    }

    @Test
    void thePapersGradientScaleIsTheConstant() {
        GradientScale paper = GradientScale.COUNT_AND_LEVELS;
        assertEquals(Estimator.LSQ, Estimator.lsq(paper));
        assertEquals(Estimator.LSQ.hashCode(), Estimator.lsq(paper).hashCode());
        assertEquals(Estimator.LSQ_PLUS, Estimator.lsqPlus(paper));
        assertNotEquals(Estimator.LSQ, Estimator.LSQ_PLUS);
        assertNotEquals(Estimator.LSQ, Estimator.lsq(GradientScale.COUNT));
        assertEquals("LSQ", Estimator.lsq(paper).toString());
        assertEquals("LSQ[gradientScale=ONE]", Estimator.lsq(GradientScale.ONE).toString());
    }

    @Test
    void roundingsSurviveJson() throws IOException {
        TensorScheme nearest = TensorScheme.INT8_ACTIVATIONS;
        TensorScheme drawn = nearest.withRounding(new CodeRounding.Stochastic(Long.MIN_VALUE));
        for (TensorScheme scheme : List.of(nearest, drawn)) {
            QuantSpec spec = QuantSpec.of(new LayerScheme(TensorScheme.INT8_WEIGHTS, scheme));
            assertEquals(spec, QuantSpec.fromJson(spec.toJson()));
            assertEquals(scheme.equals(drawn), spec.toJson().contains("rounding"));
            String byDl4j = JsonMappers.getMapper().writeValueAsString(scheme);
            assertEquals(scheme, JsonMappers.getMapper().readValue(byDl4j, TensorScheme.class));
            assertEquals(scheme.equals(drawn), byDl4j.contains("rounding"));
        }
        String said = QuantSpec.of(new LayerScheme(null, drawn)).toJson();
        String seed = Long.toString(Long.MIN_VALUE);
        assertEquals(
                QuantSpec.of(new LayerScheme(null, nearest)),
                QuantSpec.fromJson(
                        said.replaceAll("\"rounding\" : \\{[^}]*}", "\"rounding\" : \"NEAREST\"")));
        assertTrue(
                refusal(() -> QuantSpec.fromJson(said.replace(seed, "1.5")))
                        .contains("rounding of type stochastic has no whole number 'seed'"));
        assertTrue(
                refusal(() -> QuantSpec.fromJson(said.replace("stochastic", "dice")))
                        .contains("there are [NEAREST] or an object of type [stochastic]"));
    }

    @Test
    void refusesToDrawWhereItMakesNoSense() {
        CodeRounding drawn = new CodeRounding.Stochastic(3);
        TensorScheme scheme = TensorScheme.INT8_ACTIVATIONS.withRounding(drawn);
        assertEquals(
                "Stochastic[seed=3] draws integer codes, and Fp16Format[] has none; use"
                        + " CodeRounding.NEAREST or an IntFormat",
                refusal(() -> scheme.withFormat(new Fp16Format())));
        assertEquals(
                "EWGS scales gradients by the distance to the nearest code, which"
                        + " Stochastic[seed=3] may not draw; use CodeRounding.NEAREST,"
                        + " Estimator.LSQ or Estimator.STE",
                refusal(() -> scheme.withEstimator(new Estimator.Ewgs(0.1))));
        assertEquals(
                TensorScheme.INT8_ACTIVATIONS.withFormat(new Fp16Format()),
                Precision.FP16.ofActivations(scheme));
        assertEquals(scheme, Precision.INT8.ofActivations(scheme.withFormat(new IntFormat(4))));
    }

    @Test
    void groupsSurviveJson() {
        TensorScheme weights =
                TensorScheme.INT8_WEIGHTS.withGranularity(new Granularity.PerGroup(32));
        QuantSpec spec = QuantSpec.of(new LayerScheme(weights, null));
        assertEquals(spec, QuantSpec.fromJson(spec.toJson()));
    }

    @Test
    void refusesEstimatorsWhereTheyMakeNoSense() {
        TensorScheme activations = TensorScheme.INT8_ACTIVATIONS;
        Estimator pact = new Estimator.Pact(0);
        assertEquals(
                "LSQ+ learns the code of the value 0, which a symmetric scheme has at 0; call"
                        + " withSymmetry(Symmetry.ASYMMETRIC) first, or use Estimator.LSQ",
                refusal(() -> activations.withEstimator(Estimator.LSQ_PLUS)));
        assertEquals(
                "PACT learns one clipping value, and its codes begin at 0; use Symmetry.SYMMETRIC,"
                        + " or Estimator.LSQ_PLUS",
                refusal(() -> activations.withSymmetry(Symmetry.ASYMMETRIC).withEstimator(pact)));
        assertEquals(
                "DoReFa has a fixed range that begins at 0; use Symmetry.SYMMETRIC, or"
                        + " Estimator.LSQ_PLUS",
                refusal(
                        () ->
                                activations
                                        .withSymmetry(Symmetry.ASYMMETRIC)
                                        .withEstimator(new Estimator.DoReFa(true))));
        assertEquals(
                "PACT clips activations; give weights another estimator, such as Estimator.LSQ",
                refusal(
                        () ->
                                new LayerScheme(
                                        TensorScheme.INT8_WEIGHTS.withEstimator(pact), null)));
        assertEquals(
                "PACT with regularization NaN: it must be finite and at least 0; 0.0001 is"
                        + " customary",
                refusal(() -> new Estimator.Pact(Double.NaN)));
    }

    @Test
    void refusesMethodsWithoutSense() {
        assertEquals(
                "momentum 1.0 is outside [0, 1)",
                refusal(() -> new CalibrationMethod.MovingAverage(1)));
        assertEquals(
                "percentile 0.0 is outside (0, 100]",
                refusal(() -> new CalibrationMethod.Percentile(0)));
        assertEquals(
                "0.0 standard deviations: the count must be finite and above 0",
                refusal(() -> new CalibrationMethod.Sigma(0)));
        assertEquals("layer 'x' has index 5 of 5 layers", refusal(() -> layer("x", 5)));
        assertTrue(
                refusal(() -> LayerSelector.matching("("))
                        .startsWith("layer pattern '(' is no regular expression: "));
    }
}
