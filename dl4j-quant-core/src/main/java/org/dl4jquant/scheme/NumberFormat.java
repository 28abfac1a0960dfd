// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import org.nd4j.shade.jackson.annotation.JsonIgnore;
import org.nd4j.shade.jackson.annotation.JsonSubTypes;
import org.nd4j.shade.jackson.annotation.JsonTypeInfo;

/**
 * The numbers that a tensor is rounded to. Sealed, so that a format with a code book can be added
 * where every user of formats must say what it does with it.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = IntFormat.class, name = "int"),
    @JsonSubTypes.Type(value = Fp16Format.class, name = "fp16")
})
public sealed interface NumberFormat permits IntFormat, Fp16Format {

    /** {@return the width of one number in bits} */
    @JsonIgnore
    int bitsPerNumber();
}
