// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Remembers a teacher's answers to single examples, by what the examples contain: batches may be
 * drawn anew in each epoch. An example that was changed by a single bit is another example.
 */
interface AnswerCache extends AutoCloseable {

    /**
     * The SHA-256 digest of an example's values.
     *
     * @param digest 64 hexadecimal digits
     */
    record Example(String digest) {
        static Example of(byte[] sha256) {
            return new Example(HexFormat.of().formatHex(sha256));
        }
    }

    /** {@return the answer to an example; null if it is not known} */
    float @Nullable [] get(Example example);

    /**
     * Remembers an answer, if there is room.
     *
     * @param example to what
     * @param answer the layers' values, one after the other
     */
    void put(Example example, float[] answer);

    @Override
    void close();

    /** {@return a cache that never remembers anything} */
    static AnswerCache none() {
        return new AnswerCache() {
            @Override
            public float @Nullable [] get(Example example) {
                return null;
            }

            @Override
            public void put(Example example, float[] answer) {}

            @Override
            public void close() {}
        };
    }

    /**
     * {@return a cache in memory}
     *
     * @param capacity for how many examples; further ones are not remembered
     */
    static AnswerCache inMemory(int capacity) {
        return new AnswerCache() {
            private final Map<Example, float[]> answers = new LinkedHashMap<>();

            @Override
            public synchronized float @Nullable [] get(Example example) {
                return answers.get(example);
            }

            @Override
            public synchronized void put(Example example, float[] answer) {
                if (answers.size() < capacity) {
                    answers.put(example, answer);
                }
            }

            @Override
            public void close() {}
        };
    }
}
