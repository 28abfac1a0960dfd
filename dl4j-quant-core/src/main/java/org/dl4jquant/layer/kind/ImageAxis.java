// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.CNN2DFormat;

/** The dimension of an image's channels. */
final class ImageAxis {

    private static final int LAST = 3;

    private ImageAxis() {}

    static int of(CNN2DFormat format) {
        return format == CNN2DFormat.NHWC ? LAST : LayerKind.CHANNELS_FIRST;
    }
}
