// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;

/** A configuration around YOLOv2's output layer whose runtime computes as engines do. */
public interface PreparedBoxes {

    /** {@return DL4J's configuration inside} */
    Yolo2OutputLayer boxes();
}
