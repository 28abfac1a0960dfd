// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EngineContract;
import org.dl4jquant.graph.IntGraph;

class OnnxRuntimeContractTest extends EngineContract {

    @Override
    protected Engine open(IntGraph graph) {
        return Engine.open("onnxruntime", graph);
    }
}
