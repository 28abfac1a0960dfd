// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PrecisionTest {

    @Test
    void namesItself() {
        assertEquals("FLOAT", Precision.FLOAT.toString());
        assertEquals("FP16", Precision.FP16.toString());
        assertEquals("INT8", Precision.INT8.toString());
        assertEquals("W4A8", Precision.ofBits(4, 8).toString());
        assertEquals(
                "weights INT4, activations FLOAT",
                new Precision(new IntFormat(4), null).toString());
        assertEquals(
                "weights FP16, activations INT8",
                new Precision(new Fp16Format(), new IntFormat(8)).toString());
    }

    @Test
    void isIntegerOnlyIfWeightsAndActivationsAre() {
        assertTrue(Precision.INT4.isInteger());
        assertFalse(Precision.FP16.isInteger());
        assertFalse(Precision.FLOAT.isInteger());
        assertFalse(new Precision(new IntFormat(4), null).isInteger());
        assertFalse(new Precision(null, new IntFormat(4)).isInteger());
    }

    @Test
    void leavesATensorInFloatWhereItsLayerDoes() {
        assertNull(Precision.INT8.ofWeights(null));
        assertNull(Precision.FP16.ofActivations(null));
        assertNull(Precision.FLOAT.ofWeights(TensorScheme.INT8_WEIGHTS));
    }

    @Test
    void keepsHalfPrecisionWhereALayerWasPreparedForIt() {
        TensorScheme half = TensorScheme.INT8_WEIGHTS.withFormat(new Fp16Format());
        assertEquals(half, Precision.INT4.ofWeights(half));
    }

    @Property
    void neverMakesATensorCoarserThanItsLayerWants(
            @ForAll @IntRange(min = 2, max = 8) int prepared,
            @ForAll @IntRange(min = 2, max = 8) int wanted) {
        TensorScheme scheme = TensorScheme.activations(prepared);
        TensorScheme now = Precision.ofBits(2, wanted).ofActivations(scheme);
        assertEquals(
                scheme.withFormat(new IntFormat(Math.max(prepared, wanted))),
                now,
                "only the width may change");
    }
}
