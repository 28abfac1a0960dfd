// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of average pools of volumes: the rows of each window, slice by slice, lie below each
 * other in a high image, whose windows are averaged.
 *
 * <p>DL4J leaves padding out of the mean, so windows at the border have fewer rows. The windows of
 * each number of rows are an image of their own.
 */
final class VolumeAveragePoolForm implements IntegerForm {

    private static final int RANK = 4;

    private final Subsampling3DLayer layer;
    private final LayerTensors tensors;

    VolumeAveragePoolForm(Subsampling3DLayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
    }

    /**
     * Windows with the same number of slices, and of rows in each.
     *
     * @param slices the numbers of the windows along the depth
     * @param rows the same along the height
     */
    private record Group(List<Integer> slices, List<Integer> rows) {

        int windows() {
            return slices.size() * rows.size();
        }
    }

    private static List<Group> groups(VolumeWindows windows) {
        List<Group> groups = new ArrayList<>();
        for (List<Integer> slices : bySize(windows.depth())) {
            for (List<Integer> rows : bySize(windows.rows())) {
                groups.add(new Group(slices, rows));
            }
        }
        return groups;
    }

    private static List<List<Integer>> bySize(WindowSpan span) {
        Map<Integer, List<Integer>> bySize = new LinkedHashMap<>();
        for (int window = 0; window < span.results(); window++) {
            bySize.computeIfAbsent(length(span, window), size -> new ArrayList<>()).add(window);
        }
        return List.copyOf(bySize.values());
    }

    private static int length(WindowSpan span, int window) {
        return span.end(window) - span.first(window);
    }

    private boolean averages(INDArray x) {
        return x.rank() == RANK + 1 && x.dataType() == DataType.FLOAT && !isDilated();
    }

    private boolean isDilated() {
        return IntStream.range(0, RANK - 1)
                .anyMatch(axis -> layer.getDilation()[axis] > 1 && layer.getKernelSize()[axis] > 1);
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        QuantParams input = tensors.input(0);
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        INDArray x = inputs.get(0);
        if (input == null || output == null || call.mask() != null || !averages(x)) {
            return List.of();
        }
        boolean channelsLast = VolumeSpans.haveChannelsLast(layer.getDataFormat());
        INDArray volumes = WholeImages.channelsFirst(x, channelsLast);
        INDArray y = call.inFloat().get();
        int[] sizes = Arrays.stream(volumes.shape()).skip(1).mapToInt(Math::toIntExact).toArray();
        VolumeWindows windows = VolumeSpans.over(layer, Shape.of(sizes));
        // Scales so far apart that the engines refuse them are left to float.
        if (!CodeMean.canAverageWindows(input, output)
                || !CodeMean.canAverageImage(input, output, sizes[1] * sizes[2] * sizes[3])) {
            return List.of();
        }
        float[] means = new float[Math.toIntExact(y.length())];
        new Means(RowMajor.floats(volumes), windows, input, output).into(means);
        RowMajor.copyInto(means, WholeImages.channelsFirst(y, channelsLast));
        return List.of(y);
    }

    /** The means of all windows, in the order in which the engines add. */
    private static final class Means {

        private final float[] values;
        private final VolumeWindows windows;
        private final QuantParams input;
        private final QuantParams output;

        Means(float[] values, VolumeWindows windows, QuantParams input, QuantParams output) {
            this.values = values;
            this.windows = windows;
            this.input = input;
            this.output = output;
        }

        void into(float[] means) {
            int size = windows.depth().size() * windows.rows().size() * windows.columns().size();
            List<Group> groups = groups(windows);
            int results =
                    windows.depth().results()
                            * windows.rows().results()
                            * windows.columns().results();
            for (int volume = 0; volume < means.length / results; volume++) {
                for (Group group : groups) {
                    for (int z : group.slices()) {
                        for (int y : group.rows()) {
                            for (int x = 0; x < windows.columns().results(); x++) {
                                int at =
                                        (z * windows.rows().results() + y)
                                                        * windows.columns().results()
                                                + x;
                                means[volume * results + at] = mean(volume * size, group, z, y, x);
                            }
                        }
                    }
                }
            }
        }

        /* A window that is the whole image of its group is averaged as engines average images. */
        private float mean(int volume, Group group, int z, int y, int x) {
            boolean whole = group.windows() == 1 && windows.columns().coversAll();
            float sum = 0;
            int codes = 0;
            int count = 0;
            for (int i = windows.depth().first(z); i < windows.depth().end(z); i++) {
                for (int j = windows.rows().first(y); j < windows.rows().end(y); j++) {
                    int row = volume + (i * windows.rows().size() + j) * windows.columns().size();
                    for (int k = windows.columns().first(x); k < windows.columns().end(x); k++) {
                        if (Float.isNaN(values[row + k])) {
                            return Float.NaN;
                        }
                        int code = input.quantize(values[row + k]);
                        sum += input.dequantize(code);
                        codes += code - input.zeroPoint();
                        count++;
                    }
                }
            }
            int code =
                    whole
                            ? CodeMean.ofImage(
                                    codes, CodeMean.multiplier(input, output, count), output)
                            : CodeMean.ofWindow(sum, count, output);
            return output.dequantize(code);
        }
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return FloatLayers.ofMean(layer, tensors);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        Shape volume = Dimensions.require(graph, codes, RANK);
        if (isDilated()) {
            throw new IntegerRefusal(
                    "it averages elements at a distance, its dilation being "
                            + Arrays.toString(layer.getDilation()),
                    "average without dilation");
        }
        VolumeWindows windows = VolumeSpans.over(layer, volume);
        if (windows.columns().before() < 0) {
            throw new IntegerRefusal(
                    "in mode Same its strides are so long that its first window begins inside the"
                            + " volume",
                    "use ConvolutionMode.Truncate, or strides that are at most one longer than the"
                            + " kernel");
        }
        QuantParams output = Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
        List<Group> groups = groups(windows);
        List<String> parts = new ArrayList<>();
        List<Integer> order = new ArrayList<>();
        for (Group group : groups) {
            String part = averaged(graph, codes, volume, windows, group, output);
            parts.add(placesFirst(graph, part));
            for (int z : group.slices()) {
                group.rows().forEach(y -> order.add(z * windows.rows().results() + y));
            }
        }
        return List.of(new Signal.Codes(joined(graph, parts, order, windows, output)));
    }

    /* [channels, windows of the group, columns] */
    private static String averaged(
            NodeEmitter graph,
            String codes,
            Shape volume,
            VolumeWindows windows,
            Group group,
            QuantParams output) {
        int slices = length(windows.depth(), group.slices().get(0));
        int rows = length(windows.rows(), group.rows().get(0));
        IndexMap covered =
                IndexMap.select(
                        volume,
                        1,
                        List.of(
                                covered(windows.depth(), group.slices()),
                                covered(windows.rows(), group.rows())));
        Shape split =
                Shape.of(
                        volume.size(0),
                        group.slices().size(),
                        slices,
                        group.rows().size(),
                        rows,
                        volume.size(3));
        IndexMap high =
                IndexMap.permute(split, List.of(0, 1, 3, 2, 4, 5))
                        .reshaped(
                                Shape.of(
                                        volume.size(0),
                                        group.windows() * slices * rows,
                                        volume.size(3)));
        String at = codes;
        for (IndexMap map : Moves.of(List.of(covered, high)).maps()) {
            at = Moves.add(graph, "windows", at, map);
        }
        WindowSpan columns = windows.columns();
        Window window =
                new Window(
                        new Extent(slices * rows, columns.kernel()),
                        new Extent(slices * rows, columns.stride()),
                        Extent.ONE,
                        new Extent(0, columns.before()),
                        new Extent(0, Math.max(0, columns.after())));
        return graph.add(new AveragePool(graph.inner("mean"), at, window, false, output));
    }

    private static AxisIndices covered(WindowSpan span, List<Integer> windows) {
        return AxisIndices.of(
                windows.stream()
                        .flatMapToInt(
                                window -> IntStream.range(span.first(window), span.end(window)))
                        .toArray());
    }

    private static String placesFirst(NodeEmitter graph, String part) {
        Shape shape = graph.type(part).shape();
        return Moves.add(graph, "places", part, IndexMap.permute(shape, List.of(1, 0, 2)));
    }

    private static String joined(
            NodeEmitter graph,
            List<String> parts,
            List<Integer> order,
            VolumeWindows windows,
            QuantParams output) {
        String all =
                parts.size() == 1
                        ? parts.get(0)
                        : graph.add(new Concat(graph.inner("parts"), parts, output));
        Shape shape = graph.type(all).shape();
        int[] places = new int[order.size()];
        for (int i = 0; i < places.length; i++) {
            places[order.get(i)] = i;
        }
        IndexMap map =
                new IndexMap(
                        shape,
                        List.of(1, 0, 2),
                        List.of(
                                AxisIndices.identity(shape.size(1)),
                                AxisIndices.of(places),
                                AxisIndices.identity(shape.size(2))),
                        Shape.of(
                                shape.size(1),
                                windows.depth().results(),
                                windows.rows().results(),
                                windows.columns().results()));
        return new Moves(List.of(map)).emit(graph, all);
    }
}
