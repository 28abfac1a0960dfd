// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.dl4jquant.numeric.Shape;

/** The check of the number of dimensions that a step reads. */
final class Dimensions {

    private Dimensions() {}

    /**
     * {@return the shape of one example of codes}
     *
     * @param graph the graph
     * @param codes the node of the codes
     * @param rank how many dimensions an example must have
     * @throws IntegerRefusal if it has others
     */
    static Shape require(NodeEmitter graph, String codes, int rank) {
        Shape shape = graph.type(codes).shape();
        if (shape.rank() != rank) {
            throw new IntegerRefusal(
                    "it reads " + shape + ", where it takes " + rank + " dimensions for an example",
                    "put a preprocessor or a ReshapeVertex before it");
        }
        return shape;
    }
}
