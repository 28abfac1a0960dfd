// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Functions of one element, one for each channel or place of a tensor, as tables of codes: their
 * inference and their node.
 *
 * @param argument how the codes of the arguments stand for values
 * @param output how the codes of the results stand for values
 * @param tables the tables, in the order of channels or places
 */
record ChannelTables(QuantParams argument, QuantParams output, List<CodeTable> tables) {

    ChannelTables {
        tables = List.copyOf(tables);
    }

    /**
     * {@return the tables of functions; each value is rounded to float32 once, and then to a code}
     *
     * @param functions one for each channel or place
     * @param argument how the codes of the arguments stand for values
     * @param output how the codes of the results stand for values
     */
    static ChannelTables of(
            List<DoubleUnaryOperator> functions, QuantParams argument, QuantParams output) {
        return new ChannelTables(
                argument,
                output,
                functions.stream()
                        .map(function -> CodeTable.from(function, argument, output))
                        .toList());
    }

    /**
     * Looks values up.
     *
     * @param x values of codes; not changed
     * @param run how many elements in a row, in row-major order, have the same table
     * @param y takes the values of the results' codes; NaN stays NaN
     */
    void values(INDArray x, int run, INDArray y) {
        float[] values = RowMajor.floats(x);
        CodeRange range = output.range();
        for (int i = 0; i < values.length; i++) {
            if (!Float.isNaN(values[i])) {
                byte code = (byte) argument.quantize(values[i]);
                byte result = tables.get(i / run % tables.size()).lookUp(code);
                values[i] = output.dequantize(range.decode(result));
            }
        }
        RowMajor.copyInto(values, y);
    }

    /**
     * {@return the node of the tables, which are numbered by the first dimensions of an example}
     *
     * @param name the node's name
     * @param codes the node of the arguments' codes
     */
    IntNode node(String name, String codes) {
        return tables.size() == 1
                ? new Table(name, codes, tables.get(0), output)
                : new ChannelTable(name, codes, tables, output);
    }
}
