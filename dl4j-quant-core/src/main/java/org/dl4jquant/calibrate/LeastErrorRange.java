// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import java.util.stream.IntStream;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.Symmetry;

/**
 * The clipping range of least mean squared rounding error, over a histogram.
 *
 * <p>A symmetric range has one threshold to search. An asymmetric one has two ends: both are drawn
 * in by one share first, then each in turn while the other stays, because a skewed tensor (after
 * swish or a leaky ReLU) has a long tail to clip on one side and a short one to keep on the other.
 */
final class LeastErrorRange {

    private final double[] centres;
    private final long[] counts;
    private final ClippingRange all;
    private final CodeRange codes;
    private final Symmetry symmetry;

    private LeastErrorRange(
            Histogram histogram, ClippingRange all, CodeRange codes, Symmetry symmetry) {
        long[] bins = histogram.counts();
        int[] filled = IntStream.range(0, bins.length).filter(bin -> bins[bin] > 0).toArray();
        this.centres = IntStream.of(filled).mapToDouble(histogram::centre).toArray();
        this.counts = IntStream.of(filled).mapToLong(bin -> bins[bin]).toArray();
        this.all = all;
        this.codes = codes;
        this.symmetry = symmetry;
    }

    /**
     * {@return the range of least error, inside all that was seen}
     *
     * @param histogram the observed values
     * @param all the smallest and the largest value seen
     * @param codes the codes allowed
     * @param symmetry whether the value 0 has the code 0, or any
     */
    static ClippingRange of(
            Histogram histogram, ClippingRange all, CodeRange codes, Symmetry symmetry) {
        LeastErrorRange search = new LeastErrorRange(histogram, all, codes, symmetry);
        double share = LeastError.search(each -> search.error(all.shrunk(each, each)));
        return symmetry == Symmetry.SYMMETRIC ? all.shrunk(share, share) : search.eachEnd(share);
    }

    /* Ends: the error falls in every turn but the last, and there are finitely many shares. */
    private ClippingRange eachEnd(double share) {
        ClippingRange best = all.shrunk(share, share);
        while (true) {
            ClippingRange drawn = drawnIn(best);
            if (drawn.equals(best)) {
                return best;
            }
            best = drawn;
        }
    }

    private ClippingRange drawnIn(ClippingRange start) {
        double ofHigh =
                LeastError.search(
                        share -> error(new ClippingRange(start.low(), all.high() * share)));
        ClippingRange first = better(new ClippingRange(start.low(), all.high() * ofHigh), start);
        double ofLow =
                LeastError.search(
                        share -> error(new ClippingRange(all.low() * share, first.high())));
        return better(new ClippingRange(all.low() * ofLow, first.high()), first);
    }

    private ClippingRange better(ClippingRange challenger, ClippingRange champion) {
        return error(challenger) < error(champion) ? challenger : champion;
    }

    /* The squared error of rounding the centre of every bin that is not empty. */
    private double error(ClippingRange range) {
        QuantParams params = range.params(codes, symmetry);
        double scale = params.scale();
        double least = codes.min() - params.zeroPoint();
        double most = codes.max() - params.zeroPoint();
        double sum = 0;
        for (int i = 0; i < counts.length; i++) {
            double code = Math.max(least, Math.min(most, Math.rint(centres[i] / scale)));
            double error = centres[i] - code * scale;
            sum += counts[i] * error * error;
        }
        return sum;
    }
}
