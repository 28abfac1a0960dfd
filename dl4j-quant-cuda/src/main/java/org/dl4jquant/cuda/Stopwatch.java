// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.List;
import org.dl4jquant.cuda.driver.CudaDriver;

/** Times what is queued on a stream of its own, by events. */
final class Stopwatch implements AutoCloseable {

    private final CudaDriver driver;
    private final Effort effort;
    private final long stream;
    private final long start;
    private final long end;
    private final Resources resources = new Resources();
    private long flushed;

    /**
     * Makes a stream.
     *
     * @param driver whose context is entered
     * @param effort how much is done for a time
     */
    Stopwatch(CudaDriver driver, Effort effort) {
        this.driver = driver;
        this.effort = effort;
        try {
            stream = driver.createStream();
            resources.add(() -> driver.destroyStream(stream));
            start = event();
            end = event();
        } catch (RuntimeException e) {
            LoadedProgram.giveBackAfter(e, resources);
            throw e;
        }
    }

    private long event() {
        long event = driver.createEvent();
        resources.add(() -> driver.destroyEvent(event));
        return event;
    }

    /** {@return the stream that is timed} */
    long stream() {
        return stream;
    }

    /**
     * {@return microseconds of each of some things that are done in turns, again and again}
     *
     * <p>Between two events stands one round, so that what the host needs to queue the second is
     * hidden behind the first.
     *
     * @param round the things, which queue something on the stream
     */
    Spread rounds(List<Runnable> round) {
        warmUp(round, effort.warmUpMillis());
        return roundsNow(round);
    }

    /**
     * {@return the same, right after something else was timed}
     *
     * <p>The clocks have risen; one round is done before, and nothing more.
     *
     * @param round the things
     */
    Spread roundsAgain(List<Runnable> round) {
        warmUp(round, 0);
        return roundsNow(round);
    }

    private Spread roundsNow(List<Runnable> round) {
        double[] micros = new double[effort.repeats()];
        for (int i = 0; i < micros.length; i++) {
            micros[i] = elapsed(() -> round.forEach(Runnable::run)) / round.size();
        }
        return Spread.of(micros);
    }

    /**
     * {@return microseconds of some things, in turns, with nothing of theirs in the second-level
     * cache}
     *
     * @param round the things
     */
    Spread cold(List<Runnable> round) {
        if (flushed == 0) {
            flushed = driver.allocate(effort.flushBytes());
            resources.add(() -> driver.free(flushed));
        }
        warmUp(round, effort.warmUpMillis());
        double[] micros = new double[effort.repeats()];
        for (int i = 0; i < micros.length; i++) {
            driver.fill(flushed, (byte) i, effort.flushBytes(), stream);
            micros[i] = elapsed(round.get(i % round.size()));
        }
        return Spread.of(micros);
    }

    /**
     * {@return microseconds by the host's clock from the call until one thing is done}
     *
     * @param round the things, which are done in turns
     */
    Spread waits(List<Runnable> round) {
        warmUp(round, effort.warmUpMillis());
        double[] micros = new double[effort.repeats()];
        for (int i = 0; i < micros.length; i++) {
            long begin = System.nanoTime();
            round.get(i % round.size()).run();
            driver.synchronizeStream(stream);
            micros[i] = (System.nanoTime() - begin) / 1e3;
        }
        return Spread.of(micros);
    }

    private void warmUp(List<Runnable> round, int millis) {
        long begin = System.nanoTime();
        do {
            round.forEach(Runnable::run);
            driver.synchronizeStream(stream);
        } while (System.nanoTime() - begin < millis * 1_000_000L);
    }

    private double elapsed(Runnable work) {
        driver.recordEvent(start, stream);
        work.run();
        driver.recordEvent(end, stream);
        driver.synchronizeEvent(end);
        return 1000.0 * driver.elapsedMillis(start, end);
    }

    @Override
    public void close() {
        resources.close();
    }
}
