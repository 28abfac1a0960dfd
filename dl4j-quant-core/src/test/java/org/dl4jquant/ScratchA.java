package org.dl4jquant;

import java.nio.file.*;
import java.util.*;
import org.deeplearning4j.nn.conf.*;
import org.deeplearning4j.nn.conf.graph.*;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.*;
import org.deeplearning4j.nn.conf.layers.misc.*;
import org.deeplearning4j.nn.conf.preprocessor.*;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.*;
import org.dl4jquant.graph.*;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.onnx.*;
import org.dl4jquant.prepare.*;
import org.dl4jquant.report.*;
import org.dl4jquant.scheme.*;
import org.nd4j.linalg.activations.*;
import org.nd4j.linalg.activations.impl.*;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.*;
import org.nd4j.linalg.dataset.adapter.*;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.*;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

public class ScratchA {
    static final Random R = new Random(7);
    static boolean TRAIN = true;

    static double db(INDArray a, INDArray b) {
        INDArray d = a.castTo(DataType.DOUBLE).sub(b.castTo(DataType.DOUBLE));
        double n = d.mul(d).sumNumber().doubleValue(),
                s =
                        a.castTo(DataType.DOUBLE)
                                .mul(a.castTo(DataType.DOUBLE))
                                .sumNumber()
                                .doubleValue();
        return 10 * Math.log10(s / n);
    }

    static String trace(Throwable t) {
        StringBuilder b = new StringBuilder(t.getClass().getSimpleName() + ": " + t.getMessage());
        boolean ours =
                t.getClass().getSimpleName().contains("DL4JE")
                        || t instanceof IllegalArgumentException
                        || t.getClass().getSimpleName().contains("Lowering")
                        || t instanceof IllegalStateException;
        if (!ours) b.insert(0, "!!!BARE ");
        StackTraceElement[] e = t.getStackTrace();
        for (int i = 0; i < Math.min(e.length, ours ? 3 : 8); i++)
            b.append("\n        at ").append(e[i]);
        if (t.getCause() != null) b.append("\n     cause ").append(t.getCause());
        return b.toString();
    }

    interface Out {
        INDArray[] of(INDArray... x);
    }

    static void same(
            String what,
            INDArray[] expected,
            IntGraph graph,
            Map<String, Batch.Floats> in,
            String engine) {
        try (Engine e = Engine.open(engine, graph)) {
            Map<String, Batch> r = e.run(in);
            if (r.size() != expected.length)
                System.out.println(
                        "   !!! "
                                + engine
                                + " returns "
                                + r.keySet()
                                + " for "
                                + expected.length
                                + " outputs");
            int i = 0;
            for (Map.Entry<String, Batch> x : r.entrySet()) {
                float[] a = RowMajor.floats(expected[i]),
                        b = ((Batch.Floats) x.getValue()).values();
                int n = 0;
                for (int k = 0; k < a.length; k++)
                    if (Float.floatToIntBits(a[k]) != Float.floatToIntBits(b[k])) n++;
                if (a.length != b.length)
                    System.out.println("   !!! LENGTH " + a.length + " vs " + b.length);
                if (n > 0)
                    System.out.println(
                            "   !!! DIFF "
                                    + what
                                    + " "
                                    + engine
                                    + " "
                                    + x.getKey()
                                    + ": "
                                    + n
                                    + " of "
                                    + a.length
                                    + " e.g. "
                                    + a[0]
                                    + " "
                                    + b[0]);
                i++;
            }
        }
    }

    static void mln(String label, MultiLayerNetwork f, INDArray x) {
        mln(label, f, x, QuantSpec.of(LayerScheme.INT8));
    }

    static void mln(String label, MultiLayerNetwork f, INDArray x, QuantSpec spec) {
        System.out.println("== " + label);
        try {
            INDArray y = f.output(x);
            PreparedNetwork<MultiLayerNetwork> p =
                    Preparation.prepare(f, spec, new SingletonDataSetIterator(new DataSet(x, y)));
            if (Boolean.getBoolean("report")) System.out.println(p.report());
            p.report().warnings().forEach(w -> System.out.println("   warn " + w));
            MultiLayerNetwork q = p.network();
            System.out.printf("   dB %.1f%n", db(y, q.output(x)));
            try {
                if (TRAIN && !label.contains("@")) q.fit(new DataSet(x, y));
            } catch (Throwable t) {
                if (!String.valueOf(t.getMessage()).contains("IOutputLayer"))
                    System.out.println("   FIT " + trace(t));
            }
            IntGraph g = Quantization.lower(q);
            INDArray out = q.output(x);
            var in = EngineInputs.of(g, x);
            rest(new INDArray[] {out}, g, in);
            try (Engine e = Engine.open("reference", g)) {
                SimulatorReport r = SimulatorCheck.between(q, e).over(x);
                if (r.differingCodes() + r.differingOutputs() != 0)
                    System.out.println("   !!! " + r);
            }
        } catch (Throwable t) {
            System.out.println("   " + trace(t));
        }
    }

    static void cg(String label, ComputationGraph f, INDArray... x) {
        cg(label, f, QuantSpec.of(LayerScheme.INT8), x);
    }

    static void cg(String label, ComputationGraph f, QuantSpec spec, INDArray... x) {
        System.out.println("== " + label);
        try {
            INDArray[] y = f.output(x);
            PreparedNetwork<ComputationGraph> p =
                    Preparation.prepare(
                            f,
                            spec,
                            new SingletonMultiDataSetIterator(
                                    new org.nd4j.linalg.dataset.MultiDataSet(x, y)));
            if (Boolean.getBoolean("report")) System.out.println(p.report());
            p.report().warnings().forEach(w -> System.out.println("   warn " + w));
            ComputationGraph q = p.network();
            INDArray[] z = q.output(x);
            for (int i = 0; i < y.length; i++) System.out.printf("   dB %.1f%n", db(y[i], z[i]));
            try {
                if (TRAIN && !label.contains("@"))
                    q.fit(new org.nd4j.linalg.dataset.MultiDataSet(x, y));
            } catch (Throwable t) {
                if (!String.valueOf(t.getMessage()).contains("IOutputLayer"))
                    System.out.println("   FIT " + trace(t));
            }
            IntGraph g = Quantization.lower(q);
            rest(q.output(x), g, EngineInputs.of(g, x));
            try (Engine e = Engine.open("reference", g)) {
                SimulatorReport r = SimulatorCheck.between(q, e).over(x);
                if (r.differingCodes() + r.differingOutputs() != 0)
                    System.out.println("   !!! " + r);
            }
        } catch (Throwable t) {
            System.out.println("   " + trace(t));
        }
    }

    static void rest(INDArray[] out, IntGraph g, Map<String, Batch.Floats> in) throws Exception {
        same("net", out, g, in, "reference");
        same("net", out, g, in, "onnxruntime");
        IntGraph back = OnnxReader.fromBytes(OnnxWriter.toBytes(g), "b");
        if (!new ArrayList<>(back.inputs().stream().map(IntNode::name).toList())
                .equals(g.inputs().stream().map(IntNode::name).toList()))
            System.out.println("   !!! inputs " + back.inputs());
        same("read", out, back, in, "reference");
        OnnxWriter.toBytes(g, OnnxWriter.Results.SCORES_AND_VALUES);
    }

    static MultiLayerNetwork net(InputType in, Layer... ls) {
        NeuralNetConfiguration.ListBuilder b =
                new NeuralNetConfiguration.Builder().seed(5).updater(new Sgd(0.01)).list();
        for (Layer l : ls) b.layer(l);
        MultiLayerNetwork n =
                new MultiLayerNetwork(b.setInputType(in).validateOutputLayerConfig(false).build());
        n.init();
        return n;
    }

    static DenseLayer d(int n, IActivation a) {
        return new DenseLayer.Builder().nOut(n).activation(a).build();
    }

    static DenseLayer d(int n, Activation a) {
        return new DenseLayer.Builder().nOut(n).activation(a).build();
    }

    static ConvolutionLayer c(int n, Activation a) {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(n)
                .convolutionMode(ConvolutionMode.Same)
                .activation(a)
                .build();
    }

    static OutputLayer o(int n, Activation a) {
        return new OutputLayer.Builder(LossFunction.MSE).nOut(n).activation(a).build();
    }

    static ActivationLayer al(Activation a) {
        return new ActivationLayer(a);
    }

    static GlobalPoolingLayer gp(PoolingType t) {
        return new GlobalPoolingLayer(t);
    }

    static ComputationGraphConfiguration.GraphBuilder gb() {
        return new NeuralNetConfiguration.Builder()
                .seed(5)
                .updater(new Sgd(0.01))
                .graphBuilder()
                .validateOutputLayerConfig(false);
    }

    static ComputationGraph done(ComputationGraphConfiguration.GraphBuilder b) {
        ComputationGraph g = new ComputationGraph(b.build());
        g.init();
        return g;
    }

    public static void main(String[] a) throws Exception {
        Nd4j.getRandom().setSeed(3);
        InputType v = InputType.feedForward(7), im = InputType.convolutional(6, 6, 3);
        INDArray x = Nd4j.randn(12, 7), xi = Nd4j.randn(8, 3, 6, 6);
        try {
            mln(
                    "act,drop,loss",
                    net(
                            v,
                            d(5, Activation.RELU),
                            al(Activation.CUBE),
                            new DropoutLayer(0.5),
                            new LossLayer.Builder().activation(Activation.TANH).build()),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "4 acts",
                    net(
                            v,
                            d(5, Activation.RELU),
                            al(Activation.RELU),
                            al(Activation.IDENTITY),
                            al(Activation.RELU6),
                            al(Activation.SIGMOID)),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln("act first", net(v, al(Activation.TANH), d(4, Activation.RELU)), x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln("act only", net(v, al(Activation.TANH)), x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "loss only",
                    net(v, new LossLayer.Builder().activation(Activation.TANH).build()),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln("dropout first", net(v, new DropoutLayer(0.5), d(4, Activation.RELU)), x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "bn first",
                    net(
                            im,
                            new BatchNormalization(),
                            c(4, Activation.RELU),
                            o(3, Activation.SOFTMAX)),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "bn after relu",
                    net(
                            im,
                            c(4, Activation.RELU),
                            new BatchNormalization(),
                            o(3, Activation.SOFTMAX)),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln("bn end", net(im, c(4, Activation.IDENTITY), new BatchNormalization()), xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "bn with act end",
                    net(
                            im,
                            c(4, Activation.IDENTITY),
                            new BatchNormalization.Builder()
                                    .activation(Activation.SIGMOID)
                                    .build()),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "bn dense end sigmoid",
                    net(
                            v,
                            d(4, Activation.IDENTITY),
                            new BatchNormalization(),
                            al(Activation.SIGMOID)),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "max pool first",
                    net(
                            im,
                            new SubsamplingLayer.Builder(PoolingType.MAX)
                                    .kernelSize(2, 2)
                                    .stride(2, 2)
                                    .build(),
                            c(4, Activation.RELU),
                            o(3, Activation.SOFTMAX)),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "avg pool first",
                    net(
                            im,
                            new SubsamplingLayer.Builder(PoolingType.AVG)
                                    .kernelSize(2, 2)
                                    .stride(2, 2)
                                    .build(),
                            c(4, Activation.RELU),
                            o(3, Activation.SOFTMAX)),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "zero padding",
                    net(
                            im,
                            c(4, Activation.RELU),
                            new ZeroPaddingLayer(1, 1),
                            c(3, Activation.RELU)),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "upsampling end",
                    net(im, c(4, Activation.RELU), new Upsampling2D.Builder(2).build()),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "lrn",
                    net(
                            im,
                            c(4, Activation.RELU),
                            new LocalResponseNormalization(),
                            c(3, Activation.RELU)),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "cnn loss softmax",
                    net(
                            im,
                            c(4, Activation.RELU),
                            new CnnLossLayer.Builder(LossFunction.MSE)
                                    .activation(Activation.SOFTMAX)
                                    .build()),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "frozen",
                    net(
                            im,
                            new FrozenLayer(c(4, Activation.TANH)),
                            new FrozenLayer(al(Activation.RELU)),
                            new FrozenLayer(gp(PoolingType.AVG)),
                            new FrozenLayer(d(4, Activation.SIGMOID)),
                            new LossLayer.Builder().activation(Activation.SOFTMAX).build()),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "frozen backprop",
                    net(
                            im,
                            new FrozenLayerWithBackprop(c(4, Activation.TANH)),
                            new FrozenLayerWithBackprop(gp(PoolingType.MAX)),
                            new FrozenLayerWithBackprop(o(4, Activation.SIGMOID))),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "elementwise mult layer",
                    net(
                            v,
                            d(5, Activation.RELU),
                            new ElementWiseMultiplicationLayer.Builder()
                                    .nOut(5)
                                    .activation(Activation.RELU)
                                    .build(),
                            d(4, Activation.TANH)),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "layernorm",
                    net(
                            v,
                            new DenseLayer.Builder()
                                    .nOut(5)
                                    .hasLayerNorm(true)
                                    .activation(Activation.RELU)
                                    .build(),
                            d(4, Activation.TANH)),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "nobias",
                    net(
                            v,
                            new DenseLayer.Builder()
                                    .nOut(5)
                                    .hasBias(false)
                                    .activation(Activation.SWISH)
                                    .build(),
                            new OutputLayer.Builder()
                                    .nOut(4)
                                    .hasBias(false)
                                    .activation(Activation.GELU)
                                    .build()),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "center loss",
                    net(
                            v,
                            d(5, Activation.RELU),
                            new CenterLossOutputLayer.Builder()
                                    .nOut(4)
                                    .activation(Activation.SOFTMAX)
                                    .build()),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "maxpool end pad",
                    net(
                            im,
                            c(4, Activation.TANH),
                            new SubsamplingLayer.Builder(PoolingType.MAX)
                                    .kernelSize(3, 3)
                                    .stride(2, 2)
                                    .padding(1, 1)
                                    .build()),
                    xi);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "4bit",
                    net(
                            im,
                            c(4, Activation.TANH),
                            c(4, Activation.RELU6),
                            o(4, Activation.SOFTSIGN)),
                    xi,
                    QuantSpec.of(LayerScheme.INT4));
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "mixed float mid",
                    net(v, d(5, Activation.TANH), d(5, Activation.RELU), d(4, Activation.TANH)),
                    x,
                    QuantSpec.of(LayerScheme.INT8).with(LayerSelector.at(1), LayerScheme.FLOAT));
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "float first",
                    net(v, d(5, Activation.TANH), d(5, Activation.RELU), d(4, Activation.TANH)),
                    x,
                    QuantSpec.of(LayerScheme.INT8).with(LayerSelector.at(0), LayerScheme.FLOAT));
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "float last",
                    net(v, d(5, Activation.TANH), d(5, Activation.RELU), d(4, Activation.TANH)),
                    x,
                    QuantSpec.of(LayerScheme.INT8).with(LayerSelector.at(2), LayerScheme.FLOAT));
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "names",
                    net(
                            v,
                            new DenseLayer.Builder()
                                    .name("input")
                                    .nOut(5)
                                    .activation(Activation.RELU)
                                    .build(),
                            new DenseLayer.Builder()
                                    .name("scores")
                                    .nOut(5)
                                    .activation(Activation.SIGMOID)
                                    .build(),
                            new DenseLayer.Builder()
                                    .name("input")
                                    .nOut(5)
                                    .activation(Activation.TANH)
                                    .build(),
                            new OutputLayer.Builder()
                                    .name("scores/values")
                                    .nOut(3)
                                    .activation(Activation.SOFTMAX)
                                    .build()),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
        try {
            mln(
                    "names2",
                    net(
                            v,
                            new DenseLayer.Builder()
                                    .name("a/sum")
                                    .nOut(5)
                                    .activation(Activation.RELU)
                                    .build(),
                            new DenseLayer.Builder()
                                    .name("a")
                                    .nOut(5)
                                    .activation(Activation.SIGMOID)
                                    .build(),
                            new DenseLayer.Builder()
                                    .name("a/quantize")
                                    .nOut(5)
                                    .activation(Activation.TANH)
                                    .build(),
                            new DenseLayer.Builder()
                                    .name("a/input")
                                    .nOut(3)
                                    .activation(Activation.RELU)
                                    .build(),
                            new LossLayer.Builder()
                                    .name("a_2")
                                    .activation(Activation.RELU6)
                                    .build(),
                            new LossLayer.Builder()
                                    .name("a")
                                    .activation(Activation.SOFTMAX)
                                    .build()),
                    x);
        } catch (Throwable t) {
            System.out.println("BUILD " + trace(t));
        }
    }
}
