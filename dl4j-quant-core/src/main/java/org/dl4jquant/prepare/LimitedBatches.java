// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/**
 * The first examples of a DL4J iterator.
 *
 * @param <B> the type that the iterator returns
 */
final class LimitedBatches<B> implements CalibrationData {

    private final Iterator<B> iterator;
    private final @Nullable Runnable reset;
    private final Function<B, Inputs> inputs;
    private final int most;
    private @Nullable List<Inputs> kept;
    private boolean cut;

    /**
     * Takes an iterator.
     *
     * @param iterator the iterator
     * @param reset makes it begin again; null if it cannot, so that its batches must be kept
     * @param inputs the inputs of a batch
     * @param most how many examples to read at most
     */
    LimitedBatches(
            Iterator<B> iterator, @Nullable Runnable reset, Function<B, Inputs> inputs, int most) {
        Require.argument(most > 0, "calibration with %d examples; give at least one", most);
        this.iterator = iterator;
        this.reset = reset;
        this.inputs = inputs;
        this.most = most;
    }

    @Override
    public void forEach(Consumer<Inputs> reader) {
        Runnable again = reset;
        if (again != null) {
            again.run();
            try {
                read(reader);
            } finally {
                again.run();
            }
            return;
        }
        List<Inputs> batches = kept;
        if (batches == null) {
            List<Inputs> fresh = new ArrayList<>();
            read(batch -> fresh.add(batch.copyOf(batch.examples())));
            kept = fresh;
            batches = fresh;
        }
        batches.forEach(reader);
    }

    private void read(Consumer<Inputs> reader) {
        int left = most;
        while (left > 0 && iterator.hasNext()) {
            Inputs batch = inputs.apply(iterator.next());
            int examples = batch.examples();
            cut |= examples > left;
            reader.accept(examples > left ? batch.copyOf(left) : batch);
            left -= Math.min(examples, left);
        }
        cut |= iterator.hasNext();
    }

    @Override
    public boolean isCut() {
        return cut;
    }

    @Override
    public int most() {
        return most;
    }
}
