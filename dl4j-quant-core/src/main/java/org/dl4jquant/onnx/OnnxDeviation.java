// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

/**
 * A node of a model file that ONNX Runtime, given the file as it is, does not compute with the
 * integer kernel that the integer graph stands for, so that a code may round otherwise.
 *
 * @param node the node of the integer graph, which is the name of its codes in the file
 * @param operator the operator in the file, with its own name
 * @param reason the part of the file that keeps ONNX Runtime from it
 */
public record OnnxDeviation(String node, String operator, String reason) {

    @Override
    public String toString() {
        return "node '" + node + "' (" + operator + "): " + reason;
    }
}
