// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.nio.ByteBuffer;
import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.kernel.GemmWeights;
import org.dl4jquant.cuda.plan.Plan;

/** Constants as a file has them: without those that are others, unpacked. */
final class StoredConstants {

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
                            && expansion.from() >= 0
                            && expansion.from() < expansion.to()
                            && expansion.to() + expansion.bytes() <= bytes,
                    "its manifest unpacks constants to %d, which are not there",
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
        Require.argument(
                rest.remaining() == all.remaining(),
                "its manifest has %d bytes of constants, and %d are stored",
                bytes,
                stored.remaining());
        return all.put(rest).flip();
    }

    private static void copy(ByteBuffer from, ByteBuffer to, int bytes) {
        to.put(from.slice(from.position(), bytes));
        from.position(from.position() + bytes);
    }
}
