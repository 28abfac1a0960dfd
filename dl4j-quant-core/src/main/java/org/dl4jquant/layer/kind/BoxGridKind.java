// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.dl4jquant.layer.integer.BoxGridForm;
import org.dl4jquant.layer.integer.IntegerSupport;

/**
 * YOLOv2's output layer: a loss whose result is a function of groups of channels.
 *
 * @param configuration DL4J's configuration
 * @param prepared whether the network computes it as engines do
 */
record BoxGridKind(Yolo2OutputLayer configuration, boolean prepared) implements LayerKind {

    static LayerKind of(Yolo2OutputLayer layer) {
        return new BoxGridKind(layer, false);
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.LOSS;
    }

    @Override
    public boolean makesBoxes() {
        return true;
    }

    @Override
    public IntegerSupport integers() {
        return BoxGridForm.of(configuration, prepared);
    }
}
