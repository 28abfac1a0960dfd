// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.island;

import org.dl4jquant.check.Require;

/** A constant tensor of a float island: float32, or int64 as shapes are. */
public final class FloatConstant {

    private final String name;
    private final float[] floats;
    private final long[] longs;
    private final long[] dimensions;

    private FloatConstant(String name, float[] floats, long[] longs, long[] dimensions) {
        this.name = name;
        this.floats = floats;
        this.longs = longs;
        this.dimensions = dimensions;
    }

    /**
     * Returns a constant of float32.
     *
     * @param name its name in the island
     * @param values row-major; copied
     * @param dimensions its dimensions; none for a scalar
     * @return the constant
     */
    public static FloatConstant of(String name, float[] values, long... dimensions) {
        return new FloatConstant(
                Require.given(name, "name"),
                Require.given(values, "values").clone(),
                new long[0],
                Require.given(dimensions, "dimensions").clone());
    }

    /**
     * Returns a vector of int64.
     *
     * @param name its name in the island
     * @param values the numbers; copied
     * @return the constant
     */
    public static FloatConstant ofLongs(String name, long... values) {
        return new FloatConstant(
                Require.given(name, "name"),
                new float[0],
                Require.given(values, "values").clone(),
                new long[] {values.length});
    }

    /** {@return its name in the island} */
    public String name() {
        return name;
    }

    /** {@return whether it is of int64} */
    public boolean isLongs() {
        return longs.length > 0;
    }

    /** {@return a copy of its numbers, if they are float32} */
    public float[] floats() {
        return floats.clone();
    }

    /** {@return a copy of its numbers, if they are int64} */
    public long[] longs() {
        return longs.clone();
    }

    /** {@return a copy of its dimensions} */
    public long[] dimensions() {
        return dimensions.clone();
    }
}
