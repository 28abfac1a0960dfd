// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationReLU;

/** DL4J's activation functions: all classes of its package, through all their constructors. */
public final class ActivationFunctions {

    /** The arguments for each type of parameter; a boxed number may be absent. */
    private static final Map<Class<?>, Object[]> VALUES =
            Map.of(
                    double.class, new Object[] {0.0, 0.3, -0.4, 1.0, 1.7},
                    Double.class, new Object[] {null, 0.0, 0.3, -0.4, 1.0, 6.0},
                    boolean.class, new Object[] {true, false});

    private ActivationFunctions() {}

    /** {@return the classes, found in the library's file} */
    public static List<Class<?>> classes() {
        String folder = ActivationReLU.class.getPackageName().replace('.', '/') + '/';
        String file =
                ActivationReLU.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        try (JarFile jar = new JarFile(file)) {
            return jar.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.startsWith(folder) && name.endsWith(".class"))
                    .sorted()
                    .<Class<?>>map(ActivationFunctions::load)
                    .filter(IActivation.class::isAssignableFrom)
                    .filter(type -> !Modifier.isAbstract(type.getModifiers()))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Class<?> load(String entry) {
        try {
            return Class.forName(entry.substring(0, entry.length() - 6).replace('/', '.'));
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * {@return whether there are values for all parameters}
     *
     * @param constructor a public constructor
     */
    public static boolean canCall(Constructor<?> constructor) {
        return Arrays.stream(constructor.getParameterTypes()).allMatch(VALUES::containsKey);
    }

    /** {@return every function that these values make} */
    public static Stream<IActivation> all() {
        return classes().stream()
                .flatMap(type -> Arrays.stream(type.getConstructors()))
                .filter(ActivationFunctions::canCall)
                .flatMap(
                        constructor ->
                                arguments(constructor).stream()
                                        .flatMap(arguments -> call(constructor, arguments)));
    }

    private static List<Object[]> arguments(Constructor<?> constructor) {
        List<Object[]> all = new ArrayList<>();
        all.add(new Object[0]);
        for (Class<?> type : constructor.getParameterTypes()) {
            List<Object[]> longer = new ArrayList<>();
            for (Object[] before : all) {
                for (Object value : VALUES.get(type)) {
                    Object[] with = Arrays.copyOf(before, before.length + 1);
                    with[before.length] = value;
                    longer.add(with);
                }
            }
            all = longer;
        }
        return all;
    }

    /** None where DL4J refuses the values. */
    private static Stream<IActivation> call(Constructor<?> constructor, Object[] arguments) {
        try {
            return Stream.of((IActivation) constructor.newInstance(arguments));
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IllegalArgumentException) {
                return Stream.of();
            }
            throw new IllegalStateException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** {@return arguments of a function: [-8, 8] in steps, and all parameters themselves} */
    public static float[] arguments() {
        float[] arguments = new float[263];
        for (int i = 0; i < 257; i++) {
            arguments[i] = (i - 128) / 16f;
        }
        float[] parameters = {0.3f, -0.4f, 1, 1.7f, 6, -6};
        System.arraycopy(parameters, 0, arguments, 257, parameters.length);
        return arguments;
    }
}
