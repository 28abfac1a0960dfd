// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

/**
 * Random numbers for one tensor in one pass.
 *
 * <p>The generator counts: the number of an element follows from the key and the element's index
 * alone, so any pass can be repeated, in any order. It is SplitMix64.
 *
 * @param key the state that the numbers depend on, besides the element
 * @see <a href="https://doi.org/10.1145/2660193.2660195">Steele et al., Fast Splittable
 *     Pseudorandom Number Generators, 2014</a>
 */
public record CounterRandom(long key) {

    private static final long GAMMA = 0x9e3779b97f4a7c15L;
    private static final int UNUSED_BITS = 11;
    private static final double NUMBERS = 0x1p53;

    /**
     * {@return the numbers of one tensor in one iteration}
     *
     * @param seed the user's
     * @param tensor which tensor of which layer
     * @param iteration the network's count of iterations
     */
    public static CounterRandom of(long seed, String tensor, int iteration) {
        long key = mixed(seed + GAMMA);
        for (int i = 0; i < tensor.length(); i++) {
            key = mixed(key + tensor.charAt(i) + GAMMA);
        }
        return new CounterRandom(mixed(key + iteration + GAMMA));
    }

    /**
     * {@return 1 with a probability, else 0: whether an element's number, evenly distributed from 0
     * to below 1, is below it}
     *
     * @param element the element's index in row-major order, from 0
     * @param probability from 0 to 1; NaN counts as 0
     */
    int below(long element, double probability) {
        // By the sign of the difference: a branch by chance is mispredicted every other time.
        long number = bits(element) >>> UNUSED_BITS;
        return (int) ((number - (long) (probability * NUMBERS)) >>> (Long.SIZE - 1));
    }

    long bits(long element) {
        return mixed(key + (element + 1) * GAMMA);
    }

    private static long mixed(long state) {
        long z = (state ^ (state >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
