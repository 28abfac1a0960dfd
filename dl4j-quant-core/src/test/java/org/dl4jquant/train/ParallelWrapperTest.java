// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.dl4jquant.train.ReplicatedNetworks.REPLICAS;
import static org.dl4jquant.train.ReplicatedNetworks.values;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.core.storage.listener.RoutingIterationListener;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.dl4jquant.scheme.Precision;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;

/** DL4J's ParallelWrapper: replicas in threads, averaged after each iteration. */
class ParallelWrapperTest {

    /**
     * Holds the first batch back until each replica has its parameters. DL4J itself does not wait:
     * a replica that is late copies parameters that the first one has already changed.
     */
    private static final class Gate implements RoutingIterationListener, DataSetPreProcessor {
        private static final long serialVersionUID = 1L;
        private static final long SECONDS = 60;

        private final CountDownLatch ready = new CountDownLatch(REPLICAS);

        /* DL4J calls this once for each replica, last of all. */
        @Override
        public RoutingIterationListener clone() {
            ready.countDown();
            return this;
        }

        @Override
        public void preProcess(org.nd4j.linalg.dataset.api.DataSet batch) {
            try {
                assertTrue(ready.await(SECONDS, TimeUnit.SECONDS), "replicas are not ready");
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void setStorageRouter(StatsStorageRouter router) {}

        @Override
        public @Nullable StatsStorageRouter getStorageRouter() {
            return null;
        }

        @Override
        public void setWorkerID(String id) {}

        @Override
        public String getWorkerID() {
            return "";
        }

        @Override
        public void setSessionID(String id) {}

        @Override
        public String getSessionID() {
            return "";
        }

        @Override
        public void iterationDone(Model model, int iteration, int epoch) {}

        @Override
        public void onEpochStart(Model model) {}

        @Override
        public void onEpochEnd(Model model) {}

        @Override
        public void onForwardPass(Model model, List<INDArray> activations) {}

        @Override
        public void onForwardPass(Model model, Map<String, INDArray> activations) {}

        @Override
        public void onGradientCalculation(Model model) {}

        @Override
        public void onBackwardPass(Model model) {}
    }

    private static void train(Model network, int epochs, TrainingListener... listeners) {
        for (int epoch = 0; epoch < epochs; epoch++) {
            Gate gate = new Gate();
            List<TrainingListener> all = new ArrayList<>(List.of(listeners));
            all.add(gate);
            ParallelWrapper wrapper =
                    new ParallelWrapper.Builder<>(network)
                            .workers(REPLICAS)
                            .averagingFrequency(1)
                            .averageUpdaters(true)
                            .trainingMode(ParallelWrapper.TrainingMode.AVERAGING)
                            .build();
            wrapper.setListeners(all);
            ListDataSetIterator<DataSet> data =
                    new ListDataSetIterator<>(
                            ReplicatedNetworks.data().asList(), ReplicatedNetworks.BATCH);
            data.setPreProcessor(gate);
            try {
                wrapper.fit(data);
            } finally {
                wrapper.shutdown();
            }
        }
    }

    @Test
    void aMultiLayerNetworkBecomesTheAverageOfItsReplicas() {
        MultiLayerNetwork network = ReplicatedNetworks.chain();
        Map<String, INDArray> before = network.clone().paramTable();
        INDArray expected =
                ReplicatedNetworks.averaged(
                        List.of(network.clone(), network.clone()), MultiLayerNetwork::fit);

        train(network, 1);

        assertArrayEquals(values(expected), values(network.params()));
        ReplicatedNetworks.requireLearnedScales(before, network.paramTable());
        ReplicatedNetworks.requireExactIntegers(network);
    }

    @Test
    void aComputationGraphBecomesTheAverageOfItsReplicas() {
        ComputationGraph network = ReplicatedNetworks.residual();
        Map<String, INDArray> before = network.clone().paramTable();
        INDArray expected =
                ReplicatedNetworks.averaged(
                        List.of(network.clone(), network.clone()), ComputationGraph::fit);

        train(network, 1);

        assertArrayEquals(values(expected), values(network.params()));
        ReplicatedNetworks.requireLearnedScales(before, network.paramTable());
        ReplicatedNetworks.requireExactIntegers(network);
    }

    @Test
    void itLearns() {
        MultiLayerNetwork network = ReplicatedNetworks.chain();
        double before = network.score(ReplicatedNetworks.data());
        train(network, 10);
        assertTrue(network.score(ReplicatedNetworks.data()) < before);
        ReplicatedNetworks.requireExactIntegers(network);
    }

    private static PrecisionSchedule schedule() {
        return PrecisionSchedule.builder()
                .untilIteration(1, Precision.FP16)
                .untilIteration(3, Precision.INT8)
                .then(Precision.INT4)
                .build();
    }

    @Test
    void aScheduleGivenToTheWrapperSwitchesEachReplica() {
        MultiLayerNetwork network = ReplicatedNetworks.chain();
        List<MultiLayerNetwork> copies = List.of(network.clone(), network.clone());
        copies.forEach(copy -> schedule().attachTo(copy));
        INDArray expected = ReplicatedNetworks.averaged(copies, MultiLayerNetwork::fit);
        PrecisionSchedule schedule = schedule();
        schedule.attachTo(network);

        train(network, 1, schedule);

        assertEquals(1, schedule.stage());
        assertArrayEquals(values(expected), values(network.params()));
        train(network, 1, schedule);
        assertEquals(2, schedule.stage());
        ReplicatedNetworks.requireExactIntegers(network);
    }

    @Test
    void aTeacherGivenToTheWrapperTeachesEachReplica() {
        ComputationGraph teacher = ReplicatedNetworks.floatGraph();
        ComputationGraph network = ReplicatedNetworks.residual();
        List<ComputationGraph> copies = List.of(network.clone(), network.clone());
        Distillation distillation = Distillation.from(teacher).withSoftLabels(3, 0.6);
        copies.forEach(
                copy -> {
                    // A clone has the very list of its original.
                    copy.setListeners();
                    distillation.attach(copy);
                });
        INDArray expected = ReplicatedNetworks.averaged(copies, ComputationGraph::fit);

        try (DistillationListener teaching = distillation.attach(network)) {
            train(network, 1, teaching);
        }

        assertArrayEquals(values(expected), values(network.params()));
    }
}
