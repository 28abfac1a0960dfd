// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.LocalResponseForm;

/** A local response normalization of images, along their channels. */
record LocalResponseKind(LocalResponseNormalization configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.NORMALIZES;
    }

    @Override
    public int channelAxis() {
        CNN2DFormat format = configuration.getDataFormat();
        return format == null ? CHANNELS_FIRST : ImageAxis.of(format);
    }

    @Override
    public IntegerSupport integers() {
        return LocalResponseForm.of(configuration);
    }
}
