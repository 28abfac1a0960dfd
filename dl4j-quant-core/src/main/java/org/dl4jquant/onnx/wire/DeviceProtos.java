// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

/** How a model is spread over devices (IR version 11 and later): read and kept, used by nobody. */
final class DeviceProtos {

    static final Schema CONFIGURATION =
            Schema.of(
                    "DeviceConfigurationProto",
                    Field.text(1, "name"),
                    Field.int32(2, "num_devices"),
                    Field.texts(3, "device"));

    private static final Schema SIMPLE_SHARDED_DIM =
            Schema.of(
                            "SimpleShardedDimProto",
                            TensorShapeProto.DIM_VALUE,
                            TensorShapeProto.DIM_PARAM,
                            Field.int64(3, "num_shards"))
                    .oneOf(TensorShapeProto.DIM_VALUE, TensorShapeProto.DIM_PARAM);

    private static final Schema SHARDED_DIM =
            Schema.of(
                    "ShardedDimProto",
                    Field.int64(1, "axis"),
                    Field.messages(2, "simple_sharding", () -> DeviceProtos.SIMPLE_SHARDED_DIM));

    private static final Schema INT_INT_LIST_ENTRY =
            Schema.of("IntIntListEntryProto", Field.int64(1, "key"), Field.int64s(2, "value"));

    private static final Schema SHARDING =
            Schema.of(
                    "ShardingSpecProto",
                    Field.text(1, "tensor_name"),
                    Field.int64s(2, "device"),
                    Field.messages(
                            3, "index_to_device_group_map", () -> DeviceProtos.INT_INT_LIST_ENTRY),
                    Field.messages(4, "sharded_dim", () -> DeviceProtos.SHARDED_DIM));

    static final Schema NODE_CONFIGURATION =
            Schema.of(
                    "NodeDeviceConfigurationProto",
                    Field.text(1, "configuration_id"),
                    Field.messages(2, "sharding_spec", () -> DeviceProtos.SHARDING),
                    Field.int32(3, "pipeline_stage"));

    private DeviceProtos() {}
}
