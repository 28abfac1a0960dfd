/**
 * The front door. A trained Deeplearning4j network goes in; what comes out is a quantized network
 * that trains like any other, and then an integer graph that every engine runs with the same
 * result, bit for bit.
 *
 * <p>The packages stand in the order in which a network passes through them, and each uses only
 * packages above it. <b>P</b> marks pure Java: no class of ND4J or DL4J appears there.
 *
 * <table>
 * <caption>Packages below {@code org.dl4jquant}</caption>
 * <tr><th>package</th><th></th><th>purpose</th><th>may use</th></tr>
 * <tr><td>check</td><td>P</td><td>argument checks with a formatted message</td><td>nothing; every package may use it</td></tr>
 * <tr><td>files</td><td>P</td><td>whole-or-nothing writing of files, checked logs, checksums, bounds for readers</td><td>nothing; every package may use it</td></tr>
 * <tr><td>numeric</td><td>P</td><td>arithmetic that simulator, reference and kernels share bit for bit</td><td>nothing</td></tr>
 * <tr><td>numeric.recurrent</td><td>P</td><td>recurrent layers on codes, for the network's inference and the reference</td><td>numeric</td></tr>
 * <tr><td>scheme</td><td>P</td><td>what is wanted: number formats, granularity, schemes of tensors and layers</td><td>numeric</td></tr>
 * <tr><td>graph.node</td><td>P</td><td>the nodes of an integer graph, one file each</td><td>numeric.recurrent, numeric</td></tr>
 * <tr><td>graph.island</td><td>P</td><td>the float parts of a hybrid model, as operators of ONNX</td><td>numeric</td></tr>
 * <tr><td>graph</td><td>P</td><td>the integer graph, its verifier and digest</td><td>graph.node, scheme, numeric.recurrent, numeric</td></tr>
 * <tr><td>nd</td><td></td><td>the only place that copies between INDArray and Java arrays or buffers</td><td>nothing</td></tr>
 * <tr><td>calibrate</td><td>P</td><td>from statistics to scales</td><td>scheme, numeric</td></tr>
 * <tr><td>fakequant</td><td></td><td>differentiable rounding of INDArrays, observers</td><td>numeric to calibrate</td></tr>
 * <tr><td>network</td><td></td><td>one view of both kinds of DL4J network: steps, who feeds whom, copies, edits that carry parameters and updater state</td><td>numeric, nd</td></tr>
 * <tr><td>layer.quantizers</td><td></td><td>the values that say what a layer rounds</td><td>nd, scheme, numeric</td></tr>
 * <tr><td>layer.rounding</td><td></td><td>rounding of a layer's weights and activations</td><td>layer.quantizers, fakequant, nd, scheme, numeric</td></tr>
 * <tr><td>layer.scale</td><td></td><td>scales as parameters: start, updaters, limit of a step, hand-over</td><td>layer.rounding, layer.quantizers, nd, scheme, numeric</td></tr>
 * <tr><td>layer.integer</td><td></td><td>what a layer's inference computes in integers and which nodes it becomes, side by side</td><td>layer.rounding, layer.quantizers, fakequant, nd, graph.node, scheme, numeric.recurrent, numeric</td></tr>
 * <tr><td>layer.floats</td><td></td><td>what a layer's inference computes in float, as operators of a hybrid model</td><td>layer.integer, nd, graph.island, graph.node, numeric</td></tr>
 * <tr><td>layer.recurrent</td><td></td><td>recurrent layers that round their gates and states</td><td>layer.integer, layer.rounding, layer.quantizers, nd, numeric.recurrent, numeric</td></tr>
 * <tr><td>layer.attention</td><td></td><td>self-attention that rounds the factors of its products</td><td>layer.rounding, layer.quantizers, nd</td></tr>
 * <tr><td>layer.kind</td><td></td><td>one class per kind of DL4J layer, vertex or preprocessor: all that the library knows about it</td><td>network, layer.quantizers, layer.integer, layer.floats, layer.recurrent, nd, scheme, numeric</td></tr>
 * <tr><td>layer</td><td></td><td>DL4J layers and vertices that carry quantizers</td><td>numeric to network, layer.*</td></tr>
 * <tr><td>prepare</td><td></td><td>a DL4J network in, the same network with quantizers out</td><td>numeric to layer</td></tr>
 * <tr><td>train</td><td></td><td>precision schedules, distillation, exact resume</td><td>numeric to prepare</td></tr>
 * <tr><td>monitor</td><td></td><td>what a training shows of its quantizers: log, JSON lines, DL4J's UI</td><td>numeric to prepare</td></tr>
 * <tr><td>lower</td><td></td><td>the walk over a quantized network that asks each step's form for its nodes</td><td>numeric to prepare</td></tr>
 * <tr><td>engine</td><td>P</td><td>the engine contract, the reference that defines it, the equality check</td><td>graph, graph.node, scheme, numeric.recurrent, numeric</td></tr>
 * <tr><td>onnx.wire</td><td>P</td><td>ONNX files by their wire format: messages with typed fields</td><td>nothing</td></tr>
 * <tr><td>onnx.foreign</td><td>P</td><td>what other tools write, brought to the forms that are read</td><td>onnx.wire, numeric</td></tr>
 * <tr><td>onnx.form</td><td>P</td><td>the ONNX form of each node, one class for both directions</td><td>onnx.wire, onnx.foreign, graph, graph.node, graph.island, numeric.recurrent, numeric</td></tr>
 * <tr><td>onnx</td><td>P</td><td>a graph to and from ONNX files, and the engine that runs it on ONNX Runtime</td><td>onnx.wire, onnx.form, engine, graph, graph.node, graph.island, scheme, numeric</td></tr>
 * <tr><td>hybrid</td><td></td><td>networks of which some steps stay in float, as ONNX models</td><td>as search, without it</td></tr>
 * <tr><td>search</td><td></td><td>which bits for which layer</td><td>all above but layer.rounding to layer.attention</td></tr>
 * <tr><td>arbiter</td><td></td><td>searches over specs by Arbiter</td><td>as search</td></tr>
 * <tr><td>report</td><td></td><td>noise by layer, accuracy, latency, memory; text, JSON, HTML</td><td>as search</td></tr>
 * </table>
 */
@NullMarked
package org.dl4jquant;

import org.jspecify.annotations.NullMarked;
