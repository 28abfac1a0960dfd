// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import com.google.errorprone.annotations.FormatMethod;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says how far the fitting of scales has come, at most every few seconds. */
final class FittingProgress {

    private static final Logger LOG = LoggerFactory.getLogger(Preparation.class);

    /* Small networks are done before the first message is due. */
    private static final long INTERVAL_NANOS = Duration.ofSeconds(2).toNanos();

    private final LongSupplier nanos;
    private final Consumer<String> messages;
    private long last;

    FittingProgress() {
        this(System::nanoTime, LOG::info);
    }

    /**
     * Starts the time to the first message.
     *
     * @param nanos a clock, in nanoseconds
     * @param messages takes each message
     */
    FittingProgress(LongSupplier nanos, Consumer<String> messages) {
        this.nanos = nanos;
        this.messages = messages;
        this.last = nanos.getAsLong();
    }

    /** Reports layers whose weights have scales. */
    void weights(int layers, int of) {
        say("Scales of weights: %d of %d layers", layers, of);
    }

    /** Reports calibration examples that the network has run on. */
    void examples(int examples) {
        say("Ranges of activations: %d calibration examples", examples);
    }

    @FormatMethod
    private void say(String format, Object... numbers) {
        long now = nanos.getAsLong();
        if (now - last >= INTERVAL_NANOS) {
            last = now;
            messages.accept(format.formatted(numbers));
        }
    }
}
