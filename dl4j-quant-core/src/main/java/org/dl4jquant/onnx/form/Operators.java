// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

/** The names in ONNX that writer and reader share. */
final class Operators {

    static final String ABS = "Abs";
    static final String ADD = "Add";
    static final String ARG_MAX = "ArgMax";
    static final String AVERAGE_POOL = "AveragePool";
    static final String CAST = "Cast";
    static final String CLIP = "Clip";
    static final String CONCAT = "Concat";
    static final String CONV = "Conv";
    static final String CONV_INTEGER = "ConvInteger";
    static final String CUM_SUM = "CumSum";
    static final String DEQUANTIZE = "DequantizeLinear";
    static final String DIV = "Div";
    static final String DYNAMIC_QUANTIZE = "DynamicQuantizeLinear";
    static final String EXPAND = "Expand";
    static final String FLATTEN = "Flatten";
    static final String FLOOR = "Floor";
    static final String GATHER = "Gather";
    static final String GATHER_ELEMENTS = "GatherElements";
    static final String GATHER_ND = "GatherND";
    static final String GEMM = "Gemm";
    static final String GLOBAL_AVERAGE_POOL = "GlobalAveragePool";
    static final String IDENTITY = "Identity";
    static final String LEAKY_RELU = "LeakyRelu";
    static final String LESS = "Less";
    static final String MAT_MUL = "MatMul";
    static final String MAT_MUL_INTEGER = "MatMulInteger";
    static final String MAX = "Max";
    static final String MAX_POOL = "MaxPool";
    static final String MEAN = "Mean";
    static final String MIN = "Min";
    static final String MUL = "Mul";
    static final String PAD = "Pad";
    static final String QUANTIZE = "QuantizeLinear";
    static final String REDUCE_MAX = "ReduceMax";
    static final String REDUCE_SUM = "ReduceSum";
    static final String RELU = "Relu";
    static final String RESHAPE = "Reshape";
    static final String RESIZE = "Resize";
    static final String ROUND = "Round";
    static final String SCAN = "Scan";
    static final String SHAPE = "Shape";
    static final String SLICE = "Slice";
    static final String SPLIT = "Split";
    static final String SQUEEZE = "Squeeze";
    static final String SQRT = "Sqrt";
    static final String SUB = "Sub";
    static final String SUM = "Sum";
    static final String TRANSPOSE = "Transpose";
    static final String UNSQUEEZE = "Unsqueeze";
    static final String NOT = "Not";
    static final String WHERE = "Where";

    private Operators() {}
}
