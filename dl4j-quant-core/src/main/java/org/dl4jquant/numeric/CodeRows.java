// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.Arrays;
import org.dl4jquant.check.Require;

/**
 * A matrix of codes, one row for each index of a vocabulary or another set of things: the table of
 * an embedding.
 */
public final class CodeRows {

    /** The most rows: float32, in which indices arrive, holds every integer up to this number. */
    public static final int MAX_ROWS = 1 << 24;

    private final int width;
    private final byte[] containers;

    private CodeRows(int width, byte[] containers) {
        this.width = width;
        this.containers = containers;
    }

    /**
     * Returns a matrix that holds the given codes.
     *
     * @param width codes of a row, above 0
     * @param containers container bytes, row after row; copied
     * @return the matrix
     * @throws IllegalArgumentException if they are not whole rows, at least one and at most {@link
     *     #MAX_ROWS}
     */
    public static CodeRows of(int width, byte[] containers) {
        Require.given(containers, "containers");
        Require.argument(
                width > 0 && containers.length > 0 && containers.length % width == 0,
                "%d codes are no rows of %d codes each; there must be at least one whole row",
                containers.length,
                width);
        Require.argument(
                containers.length / width <= MAX_ROWS,
                "there are %d rows; at most %d are allowed, because float32 holds each index up to"
                        + " that number only",
                containers.length / width,
                MAX_ROWS);
        return new CodeRows(width, containers.clone());
    }

    /** {@return how many rows there are} */
    public int count() {
        return containers.length / width;
    }

    /** {@return how many codes a row has} */
    public int width() {
        return width;
    }

    /** {@return a copy of the container bytes, row after row} */
    public byte[] containers() {
        return containers.clone();
    }

    /**
     * Copies a row.
     *
     * @param row its index
     * @param target takes the container bytes
     * @param offset where in {@code target} the row begins
     */
    public void copyRow(int row, byte[] target, int offset) {
        System.arraycopy(containers, row * width, target, offset, width);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CodeRows rows
                && width == rows.width
                && Arrays.equals(containers, rows.containers);
    }

    @Override
    public int hashCode() {
        return 31 * width + Arrays.hashCode(containers);
    }

    @Override
    public String toString() {
        return "CodeRows[" + count() + "x" + width + "]";
    }
}
