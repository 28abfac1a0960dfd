// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.scale;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.rounding.ScaleGuard;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where in a network's parameters each layer keeps its output's scale, for the layers that read it.
 *
 * <p>A layer needs the scale of its input to round its bias and to compute with codes, but the
 * scale is a parameter of another layer, and DL4J gives a layer no way to its neighbours.
 */
public final class ScaleLinks {

    /* All parameters of one DL4J network are views of one flat buffer; a clone, a restored model and
     * each replica of a parallel or Spark training has its own. So that buffer's identity names the
     * network, whatever wraps the layers. The table holds offsets only: nothing in it keeps a
     * network alive, and an entry goes with its buffer. */
    private static final Map<Root, Map<String, Codes>> NETWORKS = new ConcurrentHashMap<>();
    private static final ReferenceQueue<DataBuffer> COLLECTED = new ReferenceQueue<>();

    private ScaleLinks() {}

    /** How a layer's output codes stand for values. */
    private sealed interface Codes {

        /** {@return this, now; null while the layer makes no codes} */
        @Nullable QuantParams now(DataBuffer root, String layer);
    }

    /** Parameters of the network. */
    private record Place(long scale, long zeroPoint, @Nullable CodeRange range) implements Codes {

        @Override
        public @Nullable QuantParams now(DataBuffer root, String layer) {
            return at(this, root, layer);
        }
    }

    /** The codes of a layer that is in another network and does not learn. */
    private record Constant(@Nullable QuantParams params) implements Codes {

        @Override
        public @Nullable QuantParams now(DataBuffer root, String layer) {
            return params;
        }
    }

    /** A buffer by identity: DataBuffer's own equality compares contents. */
    private static final class Root extends WeakReference<DataBuffer> {
        private final int hash;

        Root(DataBuffer buffer, @Nullable ReferenceQueue<DataBuffer> queue) {
            super(buffer, queue);
            hash = System.identityHashCode(buffer);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            if (this == other) {
                return true;
            }
            DataBuffer mine = get();
            return mine != null && other instanceof Root that && that.get() == mine;
        }
    }

    /**
     * Makes a layer's output codes known to the other layers of its network.
     *
     * @param layer the layer's name
     * @param scale a view of the network's parameters that holds one scale
     * @param zeroPoint a view that holds the code of the value 0; null if that is 0
     * @param range the codes; null while the layer does not round to codes
     */
    public static void publish(
            String layer, INDArray scale, @Nullable INDArray zeroPoint, @Nullable CodeRange range) {
        Require.given(layer, "layer");
        Require.given(scale, "scale");
        forgetCollected();
        NETWORKS.computeIfAbsent(
                        new Root(rootOf(scale), COLLECTED), root -> new ConcurrentHashMap<>())
                .put(
                        layer,
                        new Place(
                                scale.offset(),
                                zeroPoint == null ? -1 : zeroPoint.offset(),
                                range));
    }

    /**
     * {@return how another layer's output codes stand for values, now; null while it makes none}
     *
     * @param reader the layer that asks
     * @param layer the layer that made the codes
     * @param parameters any view of the network's parameters
     * @throws IllegalStateException if that layer is not in the network, or its scale or zero point
     *     is NaN or infinite
     */
    public static @Nullable QuantParams read(String reader, String layer, INDArray parameters) {
        Require.given(reader, "reader");
        Require.given(layer, "layer");
        Require.given(parameters, "parameters");
        DataBuffer root = rootOf(parameters);
        Codes place = NETWORKS.getOrDefault(new Root(root, null), Map.of()).get(layer);
        Require.state(
                place != null,
                "layer '%s' reads codes that layer '%s' makes, but its network has no quantized"
                        + " layer of that name; was it removed or renamed? Prepare the network"
                        + " again, or give '%s' an input quantizer. DL4J's TransferLearningHelper"
                        + " makes a network of the last layers alone, which FrozenFeatures does for"
                        + " quantized networks",
                reader,
                layer,
                reader);
        return java.util.Objects.requireNonNull(place).now(root, layer);
    }

    /**
     * Makes the output codes of a network's layers known to a network of its last layers, as they
     * are now. Copies and stored files of that network do not know them.
     *
     * @param parameters any view of the whole network's parameters
     * @param part any view of the parameters of the network of last layers
     */
    public static void carry(INDArray parameters, INDArray part) {
        DataBuffer root = rootOf(Require.given(parameters, "parameters"));
        Map<String, Codes> known =
                NETWORKS.computeIfAbsent(
                        new Root(rootOf(Require.given(part, "part")), COLLECTED),
                        made -> new ConcurrentHashMap<>());
        NETWORKS.getOrDefault(new Root(root, null), Map.of())
                .forEach(
                        (layer, codes) ->
                                known.computeIfAbsent(
                                        layer, name -> new Constant(codes.now(root, name))));
    }

    private static @Nullable QuantParams at(Place place, DataBuffer root, String layer) {
        CodeRange range = place.range;
        if (range == null) {
            return null;
        }
        int zeroPoint =
                place.zeroPoint < 0
                        ? 0
                        : ScaleGuard.zeroPointCode(
                                layer, "output", root.getFloat(place.zeroPoint), range);
        return new QuantParams(
                ScaleGuard.usable(layer, "output", root.getFloat(place.scale)), zeroPoint, range);
    }

    private static DataBuffer rootOf(INDArray view) {
        DataBuffer root = view.data().originalDataBuffer();
        return root == null ? view.data() : root;
    }

    private static void forgetCollected() {
        for (var gone = COLLECTED.poll(); gone != null; gone = COLLECTED.poll()) {
            NETWORKS.remove(gone);
        }
    }
}
