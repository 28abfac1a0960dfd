// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.integer.BoxGridForm;
import org.dl4jquant.layer.integer.OutputFunctions;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The running side of a {@link YoloResultLayer}. */
@SuppressWarnings("serial") // DL4J's layers are serializable in name only
final class YoloResultRuntime extends Yolo2OutputLayer {

    private NeuralNetConfiguration own;

    YoloResultRuntime(NeuralNetConfiguration conf, DataType dataType) {
        super(inner(conf), dataType);
        this.own = conf;
    }

    private static NeuralNetConfiguration inner(NeuralNetConfiguration conf) {
        if (!(conf.getLayer() instanceof YoloResultLayer wrapper)) {
            return conf;
        }
        NeuralNetConfiguration inner = conf.clone();
        inner.setLayer(wrapper.boxes());
        return inner;
    }

    /* The configuration of the network names the wrapper, that of DL4J's arithmetic its own layer. */
    @Override
    public NeuralNetConfiguration conf() {
        return own;
    }

    @Override
    public NeuralNetConfiguration getConf() {
        return own;
    }

    @Override
    public void setConf(NeuralNetConfiguration conf) {
        own = conf;
        super.setConf(inner(conf));
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        if (training || input.dataType() != DataType.FLOAT) {
            return super.activate(training, workspaceMgr);
        }
        INDArray result = workspaceMgr.dup(ArrayType.ACTIVATIONS, input, 'c');
        OutputFunctions.applyInPlace(List.of(BoxGridForm.function(layerConf())), result);
        return result;
    }
}
