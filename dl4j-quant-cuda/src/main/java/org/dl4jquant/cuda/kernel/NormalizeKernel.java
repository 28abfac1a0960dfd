// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** The kernel of normalizations. */
public final class NormalizeKernel {

    private static final int THREADS = 256;
    private static final int LANES = 32;

    private NormalizeKernel() {}

    /**
     * {@return the kernel; its arguments: codes, gains, shifts, codes}
     *
     * @param node the node
     * @param input the codes that it reads
     * @param shape their dimensions
     * @param result where the result goes
     */
    public static KernelSpec of(
            Normalize node, MatrixKernels.Codes input, Shape shape, ImageLayout result) {
        Normalization formula = node.formula();
        QuantParams params = node.output().params();
        int length = node.span().length(shape);
        long rows = shape.elements() / length;
        Constants constants =
                new Constants()
                        .put("PIXELS", ElementKernels.pixels(input.layout()))
                        .put("PITCH", input.layout().pitch())
                        .put("UNSIGNED", !input.params().range().signed())
                        .put("ZERO", input.params().zeroPoint())
                        .put("ROWS", rows)
                        .put("LENGTH", length)
                        .put("INNER", node.span().inner(shape))
                        .put("WINDOWED", node.span().reach() < length - 1)
                        .put("REACH", Math.min(node.span().reach(), length))
                        .put("CENTERED", formula.centered())
                        .put("FACTOR", formula.factor())
                        .put("OFFSET", formula.offset())
                        .put("DIGITS", Normalization.DIGITS)
                        .put("POWER", formula.units())
                        .put("LEAST", formula.least())
                        .put("GAINS", number(formula.gains().size()))
                        .put("SHIFTS", number(formula.shifts().size()))
                        .put("OUT_PIXELS", ElementKernels.pixels(result))
                        .put("OUT_PITCH", result.pitch())
                        .put("OUT_ZERO", params.zeroPoint())
                        .put("SCALE", params.scale());
        ElementKernels.bounds(constants, node.output().bounds(), -params.zeroPoint());
        Launch launch = new Launch(rows, THREADS / LANES, 1, THREADS, 0);
        return new KernelSpec("normalize.cu", constants.toMap(), launch, 1);
    }

    /* As the source tells them apart. */
    private static int number(int count) {
        return Math.min(count, 2);
    }
}
