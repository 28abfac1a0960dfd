// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.util.List;
import java.util.stream.Stream;
import org.dl4jquant.scheme.GradientScale;

/** A comparison of networks in few bits. */
enum Experiment {
    /** Numbers of bits, with scales that learn and with scales that do not. */
    BITS("Bits of weights and activations") {
        @Override
        List<Variant> variants(List<Integer> bits) {
            return bits.stream()
                    .flatMap(width -> Stream.of(Variant.lsq(width), Variant.minMax(width)))
                    .toList();
        }
    },
    /** Factors of a scale's gradient, with two bits. */
    GRADIENT_SCALE("Two bits, the gradients of scales multiplied by 1, 1/sqrt(N), 1/sqrt(N Q)") {
        @Override
        List<Variant> variants(List<Integer> bits) {
            return List.of(
                    Variant.lsq(INT2).scaledBy("1", GradientScale.ONE),
                    Variant.lsq(INT2).scaledBy("1/sqrt(N)", GradientScale.COUNT),
                    Variant.lsq(INT2));
        }
    },
    /** Four bits at once, and after half precision and 8 bits. */
    PROGRESSIVE("From half precision over 8 bits to 4, and 4 bits at once") {
        @Override
        List<Variant> variants(List<Integer> bits) {
            Variant direct = Variant.lsq(INT4);
            return List.of(direct, direct.trainedBy("in stages", TrainingRecipe.STAGES));
        }
    },
    /** Two bits without and with a teacher. */
    DISTILLATION("Two bits without and with a teacher") {
        @Override
        List<Variant> variants(List<Integer> bits) {
            Variant alone = Variant.lsq(INT2);
            return List.of(alone, alone.trainedBy("with a teacher", TrainingRecipe.TEACHER));
        }
    };

    private static final int INT4 = 4;
    private static final int INT2 = 2;

    private final String title;

    Experiment(String title) {
        this.title = title;
    }

    /** {@return the title of its table} */
    String title() {
        return title;
    }

    /**
     * {@return the networks that it compares}
     *
     * @param bits the widths that the user chose, for the experiments that have no widths of their
     *     own
     */
    abstract List<Variant> variants(List<Integer> bits);
}
