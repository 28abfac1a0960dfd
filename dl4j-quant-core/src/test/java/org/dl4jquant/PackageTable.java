// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The architecture as data: the packages in the order in which a network passes through them, and
 * which of them each may use. A change of a row is a change of the architecture.
 */
final class PackageTable {

    /**
     * What a pure package may use beside the pure packages of its row. The Jackson is a library of
     * its own.
     */
    private static final List<String> PURE_LIBRARIES =
            List.of(
                    "java.",
                    "org.jspecify.annotations.",
                    "com.google.errorprone.annotations.",
                    "org.slf4j.",
                    "org.nd4j.shade.jackson.");

    /** The one library that a pure package stands for. */
    private static final Map<String, String> OWN_LIBRARY = Map.of("onnx", "ai.onnxruntime.");

    private static final Set<String> EVERYONE_MAY_USE = Set.of("check", "files");

    /**
     * How a quantized layer rounds and computes: only the packages that make running layers, or
     * read them, may use it. All others ask {@code layer}, {@code layer.quantizers} or {@code
     * layer.kind}.
     */
    private static final Set<String> INSIDE_LAYERS =
            Set.of(
                    "layer.rounding",
                    "layer.scale",
                    "layer.integer",
                    "layer.floats",
                    "layer.recurrent",
                    "layer.attention");

    private final Map<String, Row> rows = new LinkedHashMap<>();

    private record Row(boolean pure, Set<String> mayUse) {}

    /** {@return the table of dl4j-quant-core} */
    static PackageTable ofCore() {
        return new PackageTable()
                .pure("check")
                .pure("files")
                .pure("numeric")
                .pure("numeric.recurrent", "numeric")
                .pure("scheme", "numeric")
                .pure("graph.node", "numeric.recurrent", "numeric")
                .pure("graph.island", "numeric")
                .pure("graph", "graph.node", "scheme", "numeric.recurrent", "numeric")
                .mixed("nd")
                .pure("calibrate", "scheme", "numeric")
                .mixed("fakequant", "numeric", "scheme", "nd", "calibrate")
                .mixed("network", "numeric", "nd")
                .mixed("layer.quantizers", "numeric", "scheme", "nd")
                .mixed("layer.rounding", "numeric", "scheme", "nd", "fakequant", "layer.quantizers")
                .mixed(
                        "layer.scale",
                        "numeric",
                        "scheme",
                        "nd",
                        "layer.quantizers",
                        "layer.rounding")
                .mixed(
                        "layer.integer",
                        "numeric",
                        "numeric.recurrent",
                        "scheme",
                        "graph.node",
                        "nd",
                        "fakequant",
                        "layer.quantizers",
                        "layer.rounding")
                .mixed(
                        "layer.floats",
                        "numeric",
                        "graph.node",
                        "graph.island",
                        "nd",
                        "layer.integer")
                .mixed(
                        "layer.recurrent",
                        "numeric",
                        "numeric.recurrent",
                        "nd",
                        "layer.quantizers",
                        "layer.rounding",
                        "layer.integer")
                .mixed("layer.attention", "nd", "layer.quantizers", "layer.rounding")
                .mixed(
                        "layer.kind",
                        "numeric",
                        "scheme",
                        "nd",
                        "network",
                        "layer.quantizers",
                        "layer.integer",
                        "layer.floats",
                        "layer.recurrent")
                .mixed(
                        "layer",
                        "numeric",
                        "scheme",
                        "nd",
                        "calibrate",
                        "fakequant",
                        "network",
                        "layer.quantizers",
                        "layer.rounding",
                        "layer.scale",
                        "layer.integer",
                        "layer.floats",
                        "layer.recurrent",
                        "layer.attention",
                        "layer.kind")
                .mixed(
                        "prepare",
                        "numeric",
                        "scheme",
                        "nd",
                        "calibrate",
                        "fakequant",
                        "network",
                        "layer.quantizers",
                        "layer.rounding",
                        "layer.scale",
                        "layer.integer",
                        "layer.recurrent",
                        "layer.attention",
                        "layer.kind",
                        "layer")
                .mixedUsingAllUpTo("train", "prepare")
                .mixedUsingAllUpTo("monitor", "prepare")
                .mixedUsingAllUpTo("lower", "prepare")
                .pure("engine", "graph", "graph.node", "scheme", "numeric.recurrent", "numeric")
                .pure("onnx.wire")
                .pure("onnx.foreign", "onnx.wire", "numeric")
                .pure(
                        "onnx.form",
                        "onnx.wire",
                        "onnx.foreign",
                        "graph",
                        "graph.node",
                        "graph.island",
                        "numeric.recurrent",
                        "numeric")
                .pure(
                        "onnx",
                        "onnx.wire",
                        "onnx.form",
                        "engine",
                        "graph",
                        "graph.node",
                        "graph.island",
                        "scheme",
                        "numeric")
                .mixedAboveLayers("hybrid", "onnx")
                .mixedAboveLayers("search", "onnx")
                .mixedAboveLayers("arbiter", "search")
                .mixedAboveLayers("report", "arbiter")
                .mixedAboveLayers("", "report");
    }

    /** {@return the packages that have a row, in order; "P" follows the name of a pure one} */
    List<String> packages() {
        return rows.entrySet().stream()
                .map(row -> row.getKey() + (row.getValue().pure() ? " P" : ""))
                .toList();
    }

    private PackageTable pure(String name, String... mayUse) {
        add(name, new Row(true, Set.of(mayUse)));
        return this;
    }

    private PackageTable mixed(String name, String... mayUse) {
        add(name, new Row(false, Set.of(mayUse)));
        return this;
    }

    private PackageTable mixedUsingAllUpTo(String name, String last) {
        add(name, new Row(false, upTo(last)));
        return this;
    }

    private PackageTable mixedAboveLayers(String name, String last) {
        Set<String> mayUse = upTo(last);
        mayUse.removeAll(INSIDE_LAYERS);
        add(name, new Row(false, mayUse));
        return this;
    }

    private Set<String> upTo(String last) {
        Set<String> names = new TreeSet<>();
        for (String earlier : rows.keySet()) {
            names.add(earlier);
            if (earlier.equals(last)) {
                break;
            }
        }
        return names;
    }

    /** Adds a row below all others; no arrow runs upwards, hence there is no cycle. */
    private void add(String name, Row row) {
        if (!rows.keySet().containsAll(row.mayUse())) {
            throw new IllegalArgumentException(
                    "package \"" + name + "\" may use " + row.mayUse() + " of " + rows.keySet());
        }
        rows.put(name, row);
    }

    /**
     * Checks every class against its package's row.
     *
     * @param classes the classes to check
     * @param root the package that the table's names are relative to; its classes are the row
     *     without a name
     * @return one line for each fault, each only once
     */
    List<String> violations(JavaClasses classes, String root) {
        Set<String> faults = new TreeSet<>();
        for (JavaClass checked : classes) {
            String from = name(checked, root);
            Row row = rows.get(from);
            if (row == null) {
                faults.add("package \"" + from + "\" is not in the table");
                continue;
            }
            for (Dependency use : checked.getDirectDependenciesFromSelf()) {
                JavaClass target = use.getTargetClass().getBaseComponentType();
                if (!target.isPrimitive() && !allowed(from, row, target, root)) {
                    faults.add(checked.getName() + " may not use " + target.getName());
                }
            }
        }
        return new ArrayList<>(faults);
    }

    private static boolean allowed(String from, Row row, JavaClass target, String root) {
        if (isBelow(target.getPackageName(), root)) {
            String to = name(target, root);
            return to.equals(from) || EVERYONE_MAY_USE.contains(to) || row.mayUse().contains(to);
        }
        String own = OWN_LIBRARY.getOrDefault(from, "java.");
        return !row.pure()
                || target.getName().startsWith(own)
                || PURE_LIBRARIES.stream().anyMatch(target.getName()::startsWith);
    }

    private static boolean isBelow(String packageName, String root) {
        return packageName.equals(root) || packageName.startsWith(root + ".");
    }

    private static String name(JavaClass of, String root) {
        String name = of.getPackageName();
        return name.equals(root) ? "" : name.substring(root.length() + 1);
    }
}
