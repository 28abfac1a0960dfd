// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.io.File;
import java.io.IOException;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** The process in which a training goes on; prints the fingerprint of what it ends with. */
final class ResumedTraining {

    private ResumedTraining() {}

    public static void main(String[] args) throws IOException {
        MultiLayerNetwork network = ExactResume.restoreMultiLayerNetwork(new File(args[0]));
        ExactResumeTest.schedule().attachTo(network);
        network.fit(StagedNetworks.batches(), Integer.parseInt(args[1]));
        System.out.println(Fingerprint.of(network));
    }
}
