// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/**
 * The texts of the kernels, which lie beside this class.
 *
 * @param text the source
 * @param headers all that it includes, directly or through others, by name
 */
public record KernelSources(String text, SortedMap<String, String> headers) {

    private static final Pattern INCLUDE =
            Pattern.compile("^#include \"([a-z0-9_]+\\.cuh)\"", Pattern.MULTILINE);

    /**
     * {@return a source and its headers}
     *
     * @param file such as {@code igemm.cu}
     * @throws IllegalArgumentException if there is no such source
     */
    public static KernelSources of(String file) {
        String text = read(file);
        SortedMap<String, String> headers = new TreeMap<>();
        Deque<String> unread = new ArrayDeque<>(included(text));
        while (!unread.isEmpty()) {
            String name = unread.pop();
            if (!headers.containsKey(name)) {
                String header = read(name);
                headers.put(name, header);
                unread.addAll(included(header));
            }
        }
        return new KernelSources(text, headers);
    }

    /**
     * {@return the options that a kernel is compiled with by NVRTC or nvcc}
     *
     * <p>Nothing may be contracted to a fused multiplication that the source does not ask for: the
     * codes would differ.
     *
     * @param kernel the kernel
     * @param architecture what for
     */
    public static List<String> options(KernelSpec kernel, Architecture architecture) {
        List<String> options = new ArrayList<>();
        options.add("--gpu-architecture=" + architecture.target());
        options.add("-fmad=false");
        options.add("--std=c++17");
        kernel.macros().forEach((name, value) -> options.add("-D" + name + "=" + value));
        return options;
    }

    private static List<String> included(String text) {
        Matcher matcher = INCLUDE.matcher(text);
        List<String> names = new ArrayList<>();
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        return names;
    }

    private static String read(String file) {
        try (@Nullable InputStream stream = KernelSources.class.getResourceAsStream(file)) {
            Require.argument(stream != null, "there is no kernel source '%s'", file);
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
