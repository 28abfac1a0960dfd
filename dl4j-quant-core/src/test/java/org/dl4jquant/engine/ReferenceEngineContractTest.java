// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import org.dl4jquant.graph.IntGraph;

class ReferenceEngineContractTest extends EngineContract {

    @Override
    protected Engine open(IntGraph graph) {
        return Engine.open("reference", graph);
    }
}
