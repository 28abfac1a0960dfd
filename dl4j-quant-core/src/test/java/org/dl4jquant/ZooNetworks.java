// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.List;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInitRelu;
import org.deeplearning4j.zoo.ZooModel;
import org.deeplearning4j.zoo.model.AlexNet;
import org.deeplearning4j.zoo.model.Darknet19;
import org.deeplearning4j.zoo.model.FaceNetNN4Small2;
import org.deeplearning4j.zoo.model.InceptionResNetV1;
import org.deeplearning4j.zoo.model.LeNet;
import org.deeplearning4j.zoo.model.ResNet50;
import org.deeplearning4j.zoo.model.SimpleCNN;
import org.deeplearning4j.zoo.model.SqueezeNet;
import org.deeplearning4j.zoo.model.TextGenerationLSTM;
import org.deeplearning4j.zoo.model.TinyYOLO;
import org.deeplearning4j.zoo.model.UNet;
import org.deeplearning4j.zoo.model.VGG16;
import org.deeplearning4j.zoo.model.VGG19;
import org.deeplearning4j.zoo.model.Xception;
import org.deeplearning4j.zoo.model.YOLO2;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The networks of DL4J's model zoo for small inputs, with random weights. */
final class ZooNetworks {

    private static final int CLASSES = 5;
    private static final int EXAMPLES = 2;
    private static final int STEPS = 12;

    private ZooNetworks() {}

    /**
     * A network of the zoo.
     *
     * @param name in DL4J
     * @param input shape of one example
     * @param maker makes it for inputs of a shape
     */
    record Zoo(String name, List<Integer> input, Function<int[], ZooModel<?>> maker) {

        /** {@return the network, with new random weights} */
        ComputationGraph network() {
            int[] shape = input.stream().mapToInt(Integer::intValue).toArray();
            Model model = maker.apply(shape).init();
            return model instanceof MultiLayerNetwork chain
                    ? chain.toComputationGraph()
                    : (ComputationGraph) model;
        }

        /** {@return random examples} */
        INDArray features() {
            long[] shape = new long[input.size() + 1];
            shape[0] = EXAMPLES;
            for (int axis = 0; axis < input.size(); axis++) {
                shape[axis + 1] = input.get(axis);
            }
            return Nd4j.randn(DataType.FLOAT, shape);
        }

        /**
         * Returns random examples with labels: the first class, or no boxes.
         *
         * @param network this one
         */
        DataSet data(ComputationGraph network) {
            INDArray features = features();
            long[] shape = network.outputSingle(features).shape().clone();
            if (network.getOutputLayer(0).conf().getLayer() instanceof Yolo2OutputLayer yolo) {
                shape[1] = shape[1] / yolo.getBoundingBoxes().size(0) - 1;
                return new DataSet(features, Nd4j.zeros(DataType.FLOAT, shape));
            }
            INDArray labels = Nd4j.zeros(DataType.FLOAT, shape);
            labels.get(NDArrayIndex.all(), NDArrayIndex.point(0)).assign(1);
            return new DataSet(features, labels);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** {@return all of them} */
    static List<Zoo> all() {
        return List.of(
                new Zoo(
                        "LeNet",
                        List.of(28 * 28),
                        flat ->
                                LeNet.builder()
                                        .numClasses(CLASSES)
                                        .inputShape(new int[] {1, 28, 28})
                                        .build()),
                images(
                        "SimpleCNN",
                        48,
                        shape -> SimpleCNN.builder().numClasses(CLASSES).inputShape(shape).build()),
                images(
                        "AlexNet",
                        64,
                        shape -> AlexNet.builder().numClasses(CLASSES).inputShape(shape).build()),
                new Zoo(
                        "VGG16",
                        List.of(3 * 32 * 32),
                        flat ->
                                VGG16.builder()
                                        .numClasses(CLASSES)
                                        .inputShape(new int[] {3, 32, 32})
                                        .build()),
                new Zoo(
                        "VGG19",
                        List.of(3 * 32 * 32),
                        flat ->
                                VGG19.builder()
                                        .numClasses(CLASSES)
                                        .inputShape(new int[] {3, 32, 32})
                                        .build()),
                images(
                        "SqueezeNet",
                        48,
                        shape ->
                                SqueezeNet.builder().numClasses(CLASSES).inputShape(shape).build()),
                images(
                        "Darknet19",
                        64,
                        shape -> Darknet19.builder().numClasses(CLASSES).inputShape(shape).build()),
                // With the zoo's own random weights its values grow beyond float32.
                images(
                        "ResNet50",
                        134,
                        shape ->
                                ResNet50.builder()
                                        .numClasses(CLASSES)
                                        .inputShape(shape)
                                        .weightInit(new WeightInitRelu())
                                        .build()),
                images(
                        "TinyYOLO",
                        64,
                        shape -> TinyYOLO.builder().numClasses(CLASSES).inputShape(shape).build()),
                images(
                        "YOLO2",
                        64,
                        shape -> YOLO2.builder().numClasses(CLASSES).inputShape(shape).build()),
                images("UNet", 32, shape -> UNet.builder().inputShape(shape).build()),
                images(
                        "Xception",
                        71,
                        shape -> Xception.builder().numClasses(CLASSES).inputShape(shape).build()),
                images(
                        "InceptionResNetV1",
                        96,
                        shape ->
                                InceptionResNetV1.builder()
                                        .numClasses(CLASSES)
                                        .inputShape(shape)
                                        .build()),
                images(
                        "FaceNetNN4Small2",
                        96,
                        shape ->
                                FaceNetNN4Small2.builder()
                                        .numClasses(CLASSES)
                                        .inputShape(shape)
                                        .build()),
                new Zoo(
                        "TextGenerationLSTM",
                        List.of(CLASSES, STEPS),
                        sequence ->
                                TextGenerationLSTM.builder()
                                        .totalUniqueCharacters(CLASSES)
                                        .maxLength(STEPS)
                                        .inputShape(new int[] {STEPS, CLASSES})
                                        .build()));
    }

    private static Zoo images(String name, int size, Function<int[], ZooModel<?>> maker) {
        return new Zoo(name, List.of(3, size, size), maker);
    }
}
