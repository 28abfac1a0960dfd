// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.util.Objects;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.dl4jquant.check.Require;
import org.nd4j.shade.jackson.annotation.JsonSubTypes;
import org.nd4j.shade.jackson.annotation.JsonTypeInfo;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/** Which layers a rule of a {@link QuantSpec} is for. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "by")
@JsonSubTypes({
    @JsonSubTypes.Type(value = LayerSelector.Named.class, name = "name"),
    @JsonSubTypes.Type(value = LayerSelector.Matching.class, name = "pattern"),
    @JsonSubTypes.Type(value = LayerSelector.OfType.class, name = "type"),
    @JsonSubTypes.Type(value = LayerSelector.At.class, name = "position")
})
public sealed interface LayerSelector {

    /**
     * {@return whether the selector is for this layer}
     *
     * @param layer the layer
     */
    boolean selects(LayerPosition layer);

    /**
     * {@return a selector of the one layer of this name}
     *
     * @param name the layer's name, exactly
     */
    static LayerSelector named(String name) {
        Require.given(name, "name");
        return new Named(name);
    }

    /**
     * {@return a selector of the layers whose whole name matches}
     *
     * @param regex a {@link Pattern}
     */
    static LayerSelector matching(String regex) {
        Require.given(regex, "regex");
        return new Matching(regex);
    }

    /**
     * {@return a selector of the layers of this type}
     *
     * @param type the simple name of the configuration class, such as {@code DenseLayer}
     */
    static LayerSelector ofType(String type) {
        Require.given(type, "type");
        return new OfType(type);
    }

    /**
     * {@return a selector of the layer at this place among the quantizable layers}
     *
     * @param index from 0 at the input; -1 is the last, -2 the one before
     */
    static LayerSelector at(int index) {
        return new At(index);
    }

    /** {@return a selector of the first quantizable layer} */
    static LayerSelector first() {
        return at(0);
    }

    /** {@return a selector of the last quantizable layer} */
    static LayerSelector last() {
        return at(-1);
    }

    /**
     * By name.
     *
     * @param name the layer's name, exactly
     */
    record Named(@JsonDeserialize(using = StrictScalars.OfText.class) String name)
            implements LayerSelector {
        /** Checks that there is a name. */
        public Named {
            Objects.requireNonNull(name, "name");
        }

        @Override
        public boolean selects(LayerPosition layer) {
            return layer.name().equals(name);
        }
    }

    /**
     * By pattern.
     *
     * @param regex a {@link Pattern} that the whole name must match
     */
    record Matching(@JsonDeserialize(using = StrictScalars.OfText.class) String regex)
            implements LayerSelector {
        /** Checks that the pattern compiles. */
        public Matching {
            try {
                Pattern.compile(regex);
            } catch (PatternSyntaxException e) {
                throw new IllegalArgumentException(
                        "layer pattern '" + regex + "' is no regular expression: " + e.getMessage(),
                        e);
            }
        }

        @Override
        public boolean selects(LayerPosition layer) {
            return Pattern.matches(regex, layer.name());
        }
    }

    /**
     * By type.
     *
     * @param type the simple name of the configuration class
     */
    record OfType(@JsonDeserialize(using = StrictScalars.OfText.class) String type)
            implements LayerSelector {
        /** Checks that there is a type. */
        public OfType {
            Objects.requireNonNull(type, "type");
        }

        @Override
        public boolean selects(LayerPosition layer) {
            return layer.type().equals(type);
        }
    }

    /**
     * By position.
     *
     * @param index from 0 at the input, from -1 at the output
     */
    record At(@JsonDeserialize(using = StrictScalars.OfInt.class) int index)
            implements LayerSelector {
        @Override
        public boolean selects(LayerPosition layer) {
            return layer.index() == (index >= 0 ? index : layer.count() + index);
        }
    }
}
