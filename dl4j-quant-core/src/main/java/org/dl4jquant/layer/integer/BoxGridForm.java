// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;

/**
 * The form of YOLOv2's output layer: the last function of its grid of boxes.
 *
 * @param grid the function
 * @param prepared whether the network computes it as engines do
 */
public record BoxGridForm(OutputFunction.BoxGrid grid, boolean prepared) implements IntegerForm {

    /** Checks that there is a function. */
    public BoxGridForm {
        Objects.requireNonNull(grid, "grid");
    }

    /**
     * Returns the support of an output layer.
     *
     * @param layer its configuration
     * @param prepared whether the network computes it as engines do
     * @return a form
     */
    public static IntegerSupport of(Yolo2OutputLayer layer, boolean prepared) {
        Require.given(layer, "layer");
        return IntegerSupport.of(tensors -> new BoxGridForm(function(layer), prepared));
    }

    /**
     * Returns the function of an output layer.
     *
     * @param layer its configuration
     * @return the function of its scores at inference
     */
    public static OutputFunction.BoxGrid function(Yolo2OutputLayer layer) {
        List<Float> priors = new ArrayList<>();
        for (float prior : RowMajor.floats(Require.given(layer, "layer").getBoundingBoxes())) {
            priors.add(prior);
        }
        return new OutputFunction.BoxGrid(layer.getFormat() == CNN2DFormat.NHWC, priors);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal.Values values = LastFunctionForm.values(graph, inputs.get(0));
        Shape shape = graph.type(values.node()).shape();
        if (!grid.fits(shape)) {
            throw new IntegerRefusal(
                    "it reads examples of shape " + shape + ", which are no grid of boxes",
                    "give the convolution before it 5 channels and one for each class, for each of"
                            + " its "
                            + grid.boxes()
                            + " boxes");
        }
        Signal.Values result = LastFunctions.applied(graph, values, List.of(grid));
        return List.of(prepared ? result : result.unpreparedAt(graph.step()));
    }
}
