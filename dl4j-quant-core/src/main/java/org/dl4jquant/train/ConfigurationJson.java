// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.io.IOException;
import java.math.BigInteger;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.nd4j.shade.jackson.core.JsonFactory;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.core.JsonStreamContext;
import org.nd4j.shade.jackson.core.JsonToken;

/**
 * Checks the JSON of a network's configuration before DL4J reads it, which loads each class that it
 * names.
 *
 * <p>Tokens are looked at, not a tree: of a key that is there twice, both are seen. A class is
 * named by the key {@code @class}, but Jackson also takes the first text of an array for one,
 * {@code ["a.Name", {}]}, and each value of a member that is a class. So no text at all, key or
 * value, may be the name of a class that is there and is not allowed.
 */
final class ConfigurationJson {

    private static final String CLASS = "@class";

    /* The old form of an array, whose strides and sizes DL4J gives to native code unseen. */
    private static final String RAW_ARRAY = "dataBuffer";

    /* No type parameters, arrays or paths. */
    private static final Pattern PLAIN_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_.$]*");

    /* DL4J's own have about a dozen levels. */
    private static final int DEEPEST = 200;

    /* The sizes of windows by their least number: native code follows them unseen. */
    private static final Map<String, Integer> WINDOWS =
            Map.of("kernelSize", 1, "stride", 1, "dilation", 1, "padding", 0);

    /* So that no product of two is beyond 32 bits; no image is as large. */
    private static final int LARGEST_WINDOW = 1 << 15;

    /* More than any double has; to read one takes the square of its digits. */
    private static final int LONGEST_NUMBER = 400;

    /* Each is looked for on the class path; large networks have some thousand. */
    private static final int MOST_TEXTS = 20_000;

    /* No class has a longer one. */
    private static final int LONGEST_NAME = 1000;

    /* What stands between the names of a type with parameters, or an array's. */
    private static final Pattern NO_NAME = Pattern.compile("[^\\p{javaJavaIdentifierPart}.]+");

    /* The parts of an array's name: "[La.Name;". */
    private static final String ELEMENT = "L";

    private final Predicate<String> allowed;
    private final Set<String> texts = new HashSet<>();

    ConfigurationJson(Predicate<String> allowed) {
        this.allowed = allowed;
    }

    /**
     * {@return the names at the top of a configuration, which is checked}
     *
     * @param json the text
     * @param refusal makes the exception of a reason
     * @throws IOException if it names a class that is not allowed, or is no JSON
     */
    Set<String> check(String json, Function<String, IOException> refusal) throws IOException {
        Set<String> foreign = new TreeSet<>();
        Set<String> top = new TreeSet<>();
        try (JsonParser parser = new JsonFactory().createParser(json)) {
            int depth = 0;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                if (depth > DEEPEST) {
                    throw refusal.apply("its configuration is nested deeper than " + DEEPEST);
                }
                if (token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING) {
                    addForeign(parser.getText(), foreign);
                    if (texts.size() > MOST_TEXTS) {
                        throw refusal.apply(
                                "its configuration has more than " + MOST_TEXTS + " texts");
                    }
                }
                if (token.isNumeric() && parser.getTextLength() > LONGEST_NUMBER) {
                    throw refusal.apply(
                            "its configuration has a number of more than "
                                    + LONGEST_NUMBER
                                    + " digits");
                }
                if (token == JsonToken.VALUE_NUMBER_INT) {
                    requireWindow(parser, refusal);
                }
                if (token == JsonToken.FIELD_NAME) {
                    if (depth == 1) {
                        top.add(parser.getCurrentName());
                    }
                    if (parser.getCurrentName().equals(RAW_ARRAY)) {
                        throw refusal.apply(
                                "its configuration has a raw array ('"
                                        + RAW_ARRAY
                                        + "'), which versions before 1.0.0-beta4 wrote; open it"
                                        + " with DL4J's ModelSerializer if you trust it, and save"
                                        + " it again");
                    }
                } else if (CLASS.equals(parser.getCurrentName()) && token.isScalarValue()) {
                    String name = parser.getText();
                    if (!PLAIN_NAME.matcher(name).matches() || !allowed.test(name)) {
                        foreign.add(name);
                    }
                }
            }
            if (depth != 0) {
                throw refusal.apply("its configuration ends early");
            }
        } catch (JsonProcessingException e) {
            throw refusal.apply("its configuration is no JSON: " + e.getOriginalMessage());
        }
        if (!foreign.isEmpty()) {
            throw refusal.apply(
                    "its configuration names classes that are neither DL4J's nor dl4j-quant's, "
                            + foreign
                            + "; if you know and trust them, allow them by SafeModels.allowing");
        }
        return top;
    }

    private static void requireWindow(JsonParser parser, Function<String, IOException> refusal)
            throws IOException {
        JsonStreamContext context = parser.getParsingContext();
        while (context.inArray()) {
            context = context.getParent();
        }
        String key = String.valueOf(context.getCurrentName());
        Integer least = WINDOWS.get(key);
        if (least == null) {
            return;
        }
        BigInteger size = parser.getBigIntegerValue();
        if (size.compareTo(BigInteger.valueOf(least)) < 0
                || size.compareTo(BigInteger.valueOf(LARGEST_WINDOW)) > 0) {
            throw refusal.apply(
                    "its configuration has a '%s' of %s; %d to %d are possible"
                            .formatted(key, size, least, LARGEST_WINDOW));
        }
    }

    private void addForeign(String text, Set<String> foreign) {
        boolean composed = text.startsWith("[") || text.indexOf('<') >= 0;
        if (!composed) {
            addIfForeign(text, foreign);
            return;
        }
        for (String name : NO_NAME.split(text, -1)) {
            addIfForeign(name, foreign);
            if (name.startsWith(ELEMENT)) {
                addIfForeign(name.substring(1), foreign);
            }
            if (texts.size() > MOST_TEXTS) {
                return;
            }
        }
    }

    private void addIfForeign(String name, Set<String> foreign) {
        if (name.length() <= LONGEST_NAME && texts.add(name) && isForeign(name)) {
            foreign.add(name);
        }
    }

    private boolean isForeign(String name) {
        return !allowed.test(name) && exists(name);
    }

    /* Looks for the file of a class, which does not load it. */
    private static boolean exists(String name) {
        String file = name.replace('.', '/') + ".class";
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        ClassLoader own = ConfigurationJson.class.getClassLoader();
        return (context != null && context.getResource(file) != null)
                || own.getResource(file) != null;
    }
}
