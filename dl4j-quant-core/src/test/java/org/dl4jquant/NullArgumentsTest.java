// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Whoever hands over null by mistake is told which argument it was, wherever users come in. */
class NullArgumentsTest {

    /**
     * Where users come in. The packages between work for these; their callers are the library's own
     * classes, which NullAway checks.
     */
    private static final List<String> ENTRIES =
            List.of(
                    "",
                    ".arbiter",
                    ".engine",
                    ".lower",
                    ".monitor",
                    ".onnx",
                    ".prepare",
                    ".report",
                    ".scheme",
                    ".search",
                    ".train");

    /** At least so many are checked, so that the test is known to find them. */
    private static final int METHODS = 80;

    private static final Set<String> OF_ENUMS = Set.of("valueOf");

    private static final Map<Class<?>, Object> EXAMPLES = examples();

    private static Map<Class<?>, Object> examples() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(4),
                        new DenseLayer.Builder().nOut(5).activation(Activation.RELU).build(),
                        output(5));
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .graphBuilder()
                                .addInputs("in")
                                .addLayer("out", output(4), "in")
                                .setOutputs("out")
                                .build());
        graph.init();
        DataSetIterator data = Networks.batches(Networks.data(8, 4));
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8);
        IntGraph lowered = Quantization.lower(Quantization.prepare(network, spec, data));
        Map<Class<?>, Object> examples = new HashMap<>();
        examples.put(MultiLayerNetwork.class, network);
        examples.put(ComputationGraph.class, graph);
        examples.put(DataSetIterator.class, data);
        examples.put(QuantSpec.class, spec);
        examples.put(LayerScheme.class, LayerScheme.INT8);
        examples.put(LayerSelector.class, LayerSelector.first());
        examples.put(IntGraph.class, lowered);
        examples.put(Engine.class, Engine.open("reference", lowered));
        examples.put(INDArray[].class, new INDArray[0]);
        examples.put(byte[].class, new byte[0]);
        examples.put(String.class, "name");
        examples.put(Path.class, Path.of("none"));
        examples.put(File.class, new File("none"));
        examples.put(Map.class, Map.of());
        examples.put(List.class, List.of());
        examples.put(boolean.class, false);
        examples.put(int.class, 2);
        examples.put(long.class, 2L);
        examples.put(double.class, 0.5);
        return examples;
    }

    private static OutputLayer output(int in) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nIn(in)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static boolean mustBeGiven(Parameter parameter) {
        boolean nullable =
                parameter.getAnnotatedType().isAnnotationPresent(Nullable.class)
                        || parameter.isAnnotationPresent(Nullable.class);
        return !parameter.getType().isPrimitive() && !nullable;
    }

    private static List<Method> entries() {
        List<Method> methods = new ArrayList<>();
        for (JavaClass found :
                new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("org.dl4jquant")) {
            boolean entry =
                    ENTRIES.stream()
                            .anyMatch(
                                    name -> found.getPackageName().equals("org.dl4jquant" + name));
            if (entry && isVisible(found.reflect())) {
                for (Method method : found.reflect().getDeclaredMethods()) {
                    int modifiers = method.getModifiers();
                    if (Modifier.isStatic(modifiers)
                            && Modifier.isPublic(modifiers)
                            && !method.isSynthetic()
                            && !OF_ENUMS.contains(method.getName())
                            && Arrays.stream(method.getParameters())
                                    .anyMatch(NullArgumentsTest::mustBeGiven)) {
                        methods.add(method);
                    }
                }
            }
        }
        return methods;
    }

    private static boolean isVisible(Class<?> type) {
        return Modifier.isPublic(type.getModifiers())
                && (type.getEnclosingClass() == null || isVisible(type.getEnclosingClass()));
    }

    /** The message for null at a place; null if an earlier argument has no example here. */
    private static @Nullable String complaint(Method method, int place) {
        Parameter[] parameters = method.getParameters();
        @Nullable Object[] arguments = new Object[parameters.length];
        for (int i = 0; i < parameters.length; i++) {
            arguments[i] = i == place ? null : EXAMPLES.get(parameters[i].getType());
            if (i < place && arguments[i] == null && mustBeGiven(parameters[i])) {
                return null;
            }
        }
        try {
            method.invoke(null, arguments);
            return "nothing is said";
        } catch (InvocationTargetException e) {
            return String.valueOf(e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(method.toString(), e);
        }
    }

    @Test
    void nullIsRefusedByTheNameOfTheArgument() {
        List<String> faults = new ArrayList<>();
        List<Method> methods = entries();
        for (Method method : methods) {
            Parameter[] parameters = method.getParameters();
            for (int i = 0; i < parameters.length; i++) {
                String said = mustBeGiven(parameters[i]) ? complaint(method, i) : null;
                String name = parameters[i].getName();
                Set<String> wanted =
                        Set.of(
                                "java.lang.IllegalArgumentException: the argument '"
                                        + name
                                        + "' is null; it must be given",
                                // Of records, as Java's own records and collections say it.
                                "java.lang.NullPointerException: " + name);
                if (said != null && !wanted.contains(said)) {
                    faults.add(
                            method.getDeclaringClass().getSimpleName()
                                    + "."
                                    + method.getName()
                                    + ", "
                                    + name
                                    + ": "
                                    + said);
                }
            }
        }
        assertEquals("", String.join(System.lineSeparator(), faults));
        assertTrue(methods.size() >= METHODS, () -> "only " + methods.size() + " methods");
    }
}
