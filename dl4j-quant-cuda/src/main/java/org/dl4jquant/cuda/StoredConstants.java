// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.nio.ByteBuffer;
import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.kernel.GemmWeights;
import org.dl4jquant.cuda.plan.Plan;

/** Constants as a file has them: without those that are others, unpacked. */
final class StoredConstants {

    /* Codes of 4 bits become bytes, in a layout for each kind of kernel. More would be no weights. */
    private static final long MOST_EXPANSION = 16;

    private StoredConstants() {}

    /** {@return the plan's constants without what can be unpacked from the rest} */
    static ByteBuffer pack(Plan plan) {
        if (plan.expansions().isEmpty()) {
            return plan.constants();
        }
        ByteBuffer all = plan.constants().duplicate();
        ByteBuffer stored = ByteBuffer.allocate(all.remaining());
        int from = 0;
        for (Plan.Expansion expansion : plan.expansions()) {
            stored.put(all.slice(from, Math.toIntExact(expansion.to()) - from));
            from = Math.toIntExact(expansion.to() + expansion.bytes());
        }
        stored.put(all.slice(from, all.limit() - from));
        return stored.flip();
    }

    /**
     * {@return all constants}
     *
     * @param stored what {@link #pack} left
     * @param expansions what it left out
     * @param bytes the size of all
     * @throws IllegalArgumentException if they do not fit one another
     */
    static ByteBuffer unpack(ByteBuffer stored, List<Plan.Expansion> expansions, int bytes) {
        long expanded = 0;
        for (Plan.Expansion expansion : expansions) {
            requireInside(expansion, bytes);
            expanded += expansion.bytes();
        }
        Require.argument(
                stored.remaining() == bytes - expanded
                        && expanded <= MOST_EXPANSION * stored.remaining(),
                "its manifest has %d bytes of constants, %d of them unpacked, and %d are stored",
                bytes,
                expanded,
                stored.remaining());
        if (expansions.isEmpty()) {
            return stored;
        }
        ByteBuffer rest = stored.duplicate();
        ByteBuffer all = ByteBuffer.allocate(bytes);
        for (Plan.Expansion expansion : expansions) {
            long between = expansion.to() - all.position();
            Require.argument(
                    between >= 0
                            && between <= rest.remaining()
                            && expansion.from() + packedBytes(expansion)
                                    <= all.position() + between,
                    "its manifest unpacks constants at %d to %d, which are not there yet",
                    expansion.from(),
                    expansion.to());
            copy(rest, all, (int) between);
            GemmWeights.unpack(
                    all,
                    (int) expansion.from(),
                    (int) expansion.to(),
                    expansion.rows(),
                    expansion.rowBytes());
            all.position((int) (expansion.to() + expansion.bytes()));
        }
        return all.put(rest).flip();
    }

    /* So that no sum of these numbers overflows, and nothing is allocated that is not filled. */
    private static void requireInside(Plan.Expansion expansion, int bytes) {
        Require.argument(
                expansion.rows() > 0
                        && expansion.rowBytes() > 0
                        && expansion.from() >= 0
                        && expansion.from() < expansion.to()
                        && expansion.to() <= bytes - expansion.bytes(),
                "its manifest unpacks %d rows of %d constants from %d to %d, outside their %d"
                        + " bytes",
                expansion.rows(),
                expansion.rowBytes(),
                expansion.from(),
                expansion.to(),
                bytes);
    }

    private static long packedBytes(Plan.Expansion expansion) {
        return GemmWeights.packedBytes(expansion.rows(), expansion.rowBytes());
    }

    private static void copy(ByteBuffer from, ByteBuffer to, int bytes) {
        to.put(from.slice(from.position(), bytes));
        from.position(from.position() + bytes);
    }
}
