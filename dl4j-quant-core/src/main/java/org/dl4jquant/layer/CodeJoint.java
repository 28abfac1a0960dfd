// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import org.deeplearning4j.nn.conf.graph.GraphVertex;

/**
 * A vertex that combines tensors of codes, whose result another layer rounds, and in inference
 * returns the values of the codes that an engine computes.
 */
public sealed interface CodeJoint
        permits QuantizedJoint, QuantizedAttentionVertex, QuantizedL2NormalizeVertex {

    /** {@return the layers that made the codes of its inputs, in order; none if it reads floats} */
    List<String> sources();

    /** {@return a vertex of DL4J's that describes the same arithmetic in float} */
    GraphVertex inFloat();
}
