// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.io.IOException;
import java.util.List;
import org.dl4jquant.scheme.Estimator.DoReFa;
import org.dl4jquant.scheme.Estimator.Ewgs;
import org.dl4jquant.scheme.Estimator.Lsq;
import org.dl4jquant.scheme.Estimator.Pact;
import org.nd4j.shade.jackson.core.JsonGenerator;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.databind.DeserializationContext;
import org.nd4j.shade.jackson.databind.SerializerProvider;
import org.nd4j.shade.jackson.databind.deser.std.StdDeserializer;
import org.nd4j.shade.jackson.databind.ser.std.StdSerializer;

/**
 * Estimators in JSON: a name alone where there is nothing to set, which is how the first version
 * wrote all of them, else an object with its type.
 */
final class EstimatorJson {

    private static final List<Estimator> PLAIN =
            List.of(Estimator.LSQ, Estimator.STE, Estimator.LSQ_PLUS);

    private static final String LSQ = "lsq";
    private static final String LSQ_PLUS = "lsq_plus";
    private static final String GRADIENT_SCALE = "gradientScale";
    private static final String EWGS = "ewgs";
    private static final String DELTA = "delta";
    private static final String PACT = "pact";
    private static final String DOREFA = "dorefa";
    private static final String FITTED = "fitted";
    private static final String REGULARIZATION = "regularization";

    private EstimatorJson() {}

    /** Writes one. */
    static final class Writer extends StdSerializer<Estimator> {
        private static final long serialVersionUID = 1L;

        Writer() {
            super(Estimator.class);
        }

        @Override
        public void serialize(Estimator value, JsonGenerator json, SerializerProvider provider)
                throws IOException {
            if (PLAIN.contains(value)) {
                json.writeString(value.toString());
            } else if (value instanceof Lsq lsq) {
                json.writeStartObject();
                json.writeStringField(JsonVariants.TYPE, lsq.learnsZeroPoint() ? LSQ_PLUS : LSQ);
                json.writeStringField(GRADIENT_SCALE, lsq.gradientScale().name());
                json.writeEndObject();
            } else if (value instanceof Ewgs ewgs) {
                write(json, EWGS, DELTA, ewgs.delta());
            } else if (value instanceof Pact pact) {
                write(json, PACT, REGULARIZATION, pact.regularization());
            } else if (value instanceof DoReFa doReFa) {
                json.writeStartObject();
                json.writeStringField(JsonVariants.TYPE, DOREFA);
                json.writeBooleanField(FITTED, doReFa.fitted());
                json.writeEndObject();
            }
        }

        private static void write(JsonGenerator json, String type, String field, double number)
                throws IOException {
            json.writeStartObject();
            json.writeStringField(JsonVariants.TYPE, type);
            json.writeNumberField(field, number);
            json.writeEndObject();
        }
    }

    /** Reads one. */
    static final class Reader extends StdDeserializer<Estimator> {
        private static final long serialVersionUID = 1L;

        Reader() {
            super(Estimator.class);
        }

        @Override
        public Estimator deserialize(JsonParser json, DeserializationContext context)
                throws IOException {
            JsonVariants variants = JsonVariants.read(json, context, "estimator");
            return switch (variants.type()) {
                case LSQ -> variants.make(() -> Estimator.lsq(gradientScale(variants)));
                case LSQ_PLUS -> variants.make(() -> Estimator.lsqPlus(gradientScale(variants)));
                case EWGS -> variants.make(() -> new Ewgs(variants.number(DELTA)));
                case PACT -> variants.make(() -> new Pact(variants.number(REGULARIZATION)));
                case DOREFA -> variants.make(() -> new DoReFa(variants.flag(FITTED)));
                default ->
                        PLAIN.stream()
                                .filter(plain -> plain.toString().equals(variants.name()))
                                .findFirst()
                                .orElseThrow(() -> variants.unknown(names()));
            };
        }

        private static GradientScale gradientScale(JsonVariants variants) {
            return variants.constant(GRADIENT_SCALE, GradientScale.values());
        }

        private static String names() {
            return PLAIN + " or an object of type " + List.of(LSQ, LSQ_PLUS, EWGS, PACT, DOREFA);
        }
    }
}
